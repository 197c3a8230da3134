// The instance metadata service. Own code, because its failure must be shown:
// the SDK's providers only say that nothing was found.
import { request } from "node:http";
import { messageOf, ToolError } from "../base/errors.ts";

export interface InstanceIdentity {
  readonly instanceId: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly accountId: string;
}

const TOKEN_WAIT_MS = 2000;
const ANSWER_WAIT_MS = 5000;
const DEFAULT_ENDPOINT = "http://169.254.169.254";

/**
 * Asks which instance this is: with a token (IMDSv2), or without where the service gives none.
 *
 * @throws {ToolError} with the cause, if this is no EC2 instance or the service is out of reach.
 */
export async function readInstanceIdentity(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<InstanceIdentity> {
  if (environment["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") {
    throw notAnInstance("AWS_EC2_METADATA_DISABLED is set to true", "Unset AWS_EC2_METADATA_DISABLED");
  }
  const endpoint = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || DEFAULT_ENDPOINT;
  try {
    const token = await fetchToken(endpoint, signal);
    const headers = token === undefined ? {} : { "x-aws-ec2-metadata-token": token };
    const path = "/latest/dynamic/instance-identity/document";
    const answer = await ask(endpoint, path, { method: "GET", headers, waitMs: ANSWER_WAIT_MS, signal });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
    const document = JSON.parse(answer.body) as Record<string, string>;
    const { instanceId, region, availabilityZone, accountId } = document;
    if (!instanceId || !region || !availabilityZone || !accountId)
      throw new Error(`${path} is incomplete: ${answer.body}`);
    return { instanceId, region, availabilityZone, accountId };
  } catch (cause) {
    signal.throwIfAborted();
    throw notAnInstance(
      `the metadata service at ${endpoint} cannot be used: ${messageOf(cause)}`,
      "Run amibake on an EC2 instance whose metadata are enabled, and without AWS_EC2_METADATA_DISABLED; in a container there, raise the hop limit: aws ec2 modify-instance-metadata-options --http-endpoint enabled --http-put-response-hop-limit 2 --instance-id ID. To try amibake without AWS, build with --local",
    );
  }
}

async function fetchToken(endpoint: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await ask(endpoint, "/latest/api/token", {
    method: "PUT",
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": "300" },
    waitMs: TOKEN_WAIT_MS,
    signal,
  });
  if (answer.status === 200) return answer.body;
  // A service that knows no tokens: version 1.
  if (answer.status === 404 || answer.status === 405) return undefined;
  throw new Error(`/latest/api/token answered ${answer.status}`);
}

function ask(
  endpoint: string,
  path: string,
  options: { method: string; headers: Record<string, string>; waitMs: number; signal: AbortSignal },
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { method, headers, waitMs } = options;
    const deadline = AbortSignal.any([options.signal, AbortSignal.timeout(waitMs)]);
    // No proxy and no shared agent: the address is link-local.
    const call = request(new URL(path, endpoint), { method, headers, signal: deadline, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on("error", reject);
    });
    call.on("error", (error) => {
      reject(error.name === "AbortError" ? new Error(`no answer within ${waitMs / 1000} s`) : error);
    });
    call.end();
  });
}

function notAnInstance(detail: string, hint: string): ToolError {
  return new ToolError("ERR_NOT_AN_INSTANCE", `Cannot find out which EC2 instance this is: ${detail}`, {
    fault: "host",
    hint,
  });
}
