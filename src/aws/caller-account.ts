// Imports the SDK: load it with `await import()`.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type CallerOptions, caller } from "./call-with-retry.ts";
import type { Credentials } from "./credentials.ts";
import { SdkTransport } from "./sdk-transport.ts";

interface Caller extends CallerOptions {
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
  readonly endpoint: string | undefined;
}

/**
 * The id of the account that credentials belong to.
 *
 * @throws {AwsError}
 */
async function callerAccount({ region, credentials, endpoint, ...options }: Caller): Promise<string> {
  const client = new STSClient({
    ...{ region, credentials, maxAttempts: 1, requestHandler: new SdkTransport() },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  try {
    const call = caller(options);
    const answer = await call("GetCallerIdentity", (sendOptions) =>
      client.send(new GetCallerIdentityCommand({}), sendOptions),
    );
    return answer.Account ?? "";
  } finally {
    client.destroy();
  }
}

/**
 * As `callerAccount`, where the endpoint of a build may serve EC2 only, such as one of a VPC: then AWS's own STS is
 * asked.
 *
 * @param options.endpoint of EC2, where it is not AWS's own.
 */
export async function accountOf(
  options: Omit<Caller, "isReleasing"> & { readonly environment: Readonly<Record<string, string | undefined>> },
): Promise<string> {
  const { endpoint, ...rest } = options;
  const { environment } = rest;
  const named = environment["AWS_ENDPOINT_URL_STS"] || environment["AWS_ENDPOINT_URL"] || undefined;
  if (named !== undefined || endpoint === undefined) return callerAccount({ ...rest, endpoint: named });
  try {
    return await callerAccount({ ...rest, endpoint });
  } catch (error) {
    rest.signal.throwIfAborted();
    return await callerAccount({ ...rest, endpoint: undefined }).catch(() => {
      throw error;
    });
  }
}
