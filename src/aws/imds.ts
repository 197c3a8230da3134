// The instance metadata service. Own code, because its failure must be shown:
// the SDK's providers only say that nothing was found.
import { request } from "node:http";
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf, systemCode, ToolError } from "../base/errors.ts";
import { retry } from "../base/retry.ts";

export interface InstanceIdentity {
  readonly instanceId: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly accountId: string;
}

export interface ImdsOptions {
  readonly signal: AbortSignal;
  /** Of the pauses before a question is asked again. A silent service is waited for by the system's time. */
  readonly clock?: Clock;
  /** Told of each question that is asked again. */
  readonly onRetry?: (call: string, attempt: number, reason: string) => void;
}

/** Outside of EC2 nobody takes the connection. */
const CONNECTION_WAIT_MS = 2000;
/** Longer than it takes a busy host. The token's never comes in a container, if the hop limit is 1. */
const ANSWER_WAIT_MS = 5000;
// docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html: the service throttles, and wants to be
// asked again after growing pauses.
const ATTEMPTS_MAX = 5;
const BACKOFF_MS_FIRST = 200;
const BACKOFF_MS_MAX = 2000;
const DEFAULT_ENDPOINT = "http://169.254.169.254";

/**
 * Asks which instance this is: with a token (IMDSv2), or without where the service gives none. What fails in passing is
 * asked again, but not a service that is silent or not there.
 *
 * @throws {ToolError} with the cause, if this is no EC2 instance or the service is out of reach.
 */
export async function readInstanceIdentity(
  environment: Readonly<Record<string, string | undefined>>,
  options: ImdsOptions,
): Promise<InstanceIdentity> {
  if (environment["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") {
    throw notAnInstance("AWS_EC2_METADATA_DISABLED is set to true", "Unset AWS_EC2_METADATA_DISABLED");
  }
  const endpoint = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || DEFAULT_ENDPOINT;
  try {
    const token = await fetchToken(endpoint, options);
    const headers = token === undefined ? {} : { "x-aws-ec2-metadata-token": token };
    const path = "/latest/dynamic/instance-identity/document";
    const answer = await ask(endpoint, path, { method: "GET", headers, ...options });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
    const document = JSON.parse(answer.body) as Record<string, string>;
    const { instanceId, region, availabilityZone, accountId } = document;
    if (!instanceId || !region || !availabilityZone || !accountId)
      throw new Error(`${path} is incomplete: ${answer.body}`);
    return { instanceId, region, availabilityZone, accountId };
  } catch (cause) {
    options.signal.throwIfAborted();
    throw notAnInstance(
      `the metadata service at ${endpoint} cannot be used: ${messageOf(cause)}`,
      "Run amibake on an EC2 instance whose metadata are enabled, and without AWS_EC2_METADATA_DISABLED; in a container there, raise the hop limit: aws ec2 modify-instance-metadata-options --http-endpoint enabled --http-put-response-hop-limit 2 --instance-id ID. To try amibake without AWS, build with --local",
    );
  }
}

async function fetchToken(endpoint: string, options: ImdsOptions): Promise<string | undefined> {
  const answer = await ask(endpoint, "/latest/api/token", {
    method: "PUT",
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": "300" },
    ...options,
  });
  if (answer.status === 200) return answer.body;
  // A service that knows no tokens: version 1.
  if (answer.status === 404 || answer.status === 405) return undefined;
  throw new Error(`/latest/api/token answered ${answer.status}`);
}

interface Question extends ImdsOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** An answer that says nothing about the question. */
class ServiceFault extends Error {
  override readonly name = "ServiceFault";
}

function ask(endpoint: string, path: string, question: Question): Promise<Answer> {
  const { signal, clock = systemClock, onRetry = () => {} } = question;
  const attempt = async (): Promise<Answer> => {
    const answer = await askOnce(endpoint, path, question);
    if (answer.status === 429 || answer.status >= 500) throw new ServiceFault(`${path} answered ${answer.status}`);
    return answer;
  };
  return retry(
    attempt,
    {
      attemptsMax: ATTEMPTS_MAX,
      backoffMsFirst: BACKOFF_MS_FIRST,
      backoffMsMax: BACKOFF_MS_MAX,
      isTransient: (error) => error instanceof ServiceFault || systemCode(error) === "ECONNRESET",
      onRetry: (tried, error) => onRetry("the metadata service", tried, messageOf(error)),
      clock,
    },
    signal,
  );
}

async function askOnce(endpoint: string, path: string, { method, headers, signal }: Question): Promise<Answer> {
  const silence = new AbortController();
  const waitFor = (what: string, waitMs: number) =>
    setTimeout(() => silence.abort(new Error(`no ${what} within ${waitMs / 1000} s`)), waitMs);
  let timer = waitFor("connection", CONNECTION_WAIT_MS);
  try {
    return await new Promise((resolve, reject) => {
      // No proxy and no shared agent: the address is link-local.
      const options = { method, headers, signal: AbortSignal.any([signal, silence.signal]), agent: false } as const;
      const call = request(new URL(path, endpoint), options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        response.on("error", reject);
      });
      call.on("socket", (socket) => {
        socket.on("connect", () => {
          clearTimeout(timer);
          timer = waitFor("answer", ANSWER_WAIT_MS);
        });
      });
      call.on("error", (error) => reject(silence.signal.aborted ? silence.signal.reason : error));
      call.end();
    });
  } finally {
    clearTimeout(timer);
  }
}

function notAnInstance(detail: string, hint: string): ToolError {
  return new ToolError("ERR_NOT_AN_INSTANCE", `Cannot find out which EC2 instance this is: ${detail}`, {
    fault: "host",
    hint,
  });
}
