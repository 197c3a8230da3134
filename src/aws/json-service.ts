import type { Clock } from "../base/clock.ts";
import { type Call, caller } from "./call-with-retry.ts";
import type { Credentials } from "./credentials.ts";
import { Refusal } from "./refusal.ts";
import { markSent } from "./sent-requests.ts";
import { RequestSigner } from "./sign-request.ts";

/** Services of AWS that speak JSON, of which we need a call or two each: their SDK clients would be half a megabyte more. */
const SERVICES = {
  ssm: { target: "AmazonSSM", endpointVariable: "AWS_ENDPOINT_URL_SSM" },
  secretsmanager: { target: "secretsmanager", endpointVariable: "AWS_ENDPOINT_URL_SECRETS_MANAGER" },
} as const;

export interface JsonServiceOptions {
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Told of each call that is tried again. */
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
}

/** Calls an action by its name. @throws {AwsError}, or the signal's reason. */
export type CallAction = (action: string, input: object, subject: string) => Promise<Readonly<Record<string, unknown>>>;

export function createJsonService(service: keyof typeof SERVICES, options: JsonServiceOptions): CallAction {
  const { region, environment } = options;
  const { target, endpointVariable } = SERVICES[service];
  const named = environment[endpointVariable] || environment["AWS_ENDPOINT_URL"];
  const url = new URL(named || defaultEndpoint(service, region));
  const signer = new RequestSigner({ host: url.host, region, service });
  const call: Call = caller(options);
  return async (action, input, subject) => {
    const body = Buffer.from(JSON.stringify(input));
    return call(
      action,
      async ({ abortSignal }) => {
        const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `${target}.${action}` };
        const request = { method: "POST", path: "/", query: {}, headers, body } as const;
        const signed = signer.sign(request, await options.credentials(), Date.now());
        markSent(abortSignal);
        const response = await fetchFrom(new URL("/", url), {
          method: "POST",
          headers: signed.headers,
          body,
          signal: abortSignal,
        });
        const answer = Buffer.from(await response.arrayBuffer());
        if (!response.ok) throw new Refusal({ status: response.status, headers: response.headers, body: answer });
        return JSON.parse(answer.toString()) as Record<string, unknown>;
      },
      { subject },
    );
  };
}

// docs.aws.amazon.com/general/latest/gr/rande.html
function defaultEndpoint(service: string, region: string): string {
  return `https://${service}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

/** fetch() says "fetch failed"; why is in the cause. */
async function fetchFrom(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw error instanceof TypeError && error.cause !== undefined ? error.cause : error;
  }
}
