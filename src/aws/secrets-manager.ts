import type { Clock } from "../base/clock.ts";
import { ToolError } from "../base/errors.ts";
import { findCredentials, findRegion } from "./credentials.ts";
import { createJsonService } from "./json-service.ts";
import { getSecret } from "./secret.ts";

export interface SecretsManagerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Told of credentials, before they are used. */
  readonly onSecret: (secret: string) => void;
}

/**
 * The current text of a secret of AWS Secrets Manager, in the region and with the credentials of the environment.
 *
 * @param secretId name or ARN.
 * @throws {AwsError} for what Secrets Manager refuses; {ToolError} if there is no region or no text.
 */
export async function getSecretText(
  secretId: string,
  { environment, clock, onSecret }: SecretsManagerOptions,
  signal: AbortSignal,
): Promise<string> {
  const region = await findRegion({}, environment);
  if (region === undefined) {
    throw new ToolError("ERR_NO_REGION", `Cannot get secret "${secretId}": no region is set`, {
      fault: "usage",
      hint: "Set AWS_REGION",
    });
  }
  const credentials = await findCredentials({}, environment, onSecret);
  const service = createJsonService("secretsmanager", {
    region,
    credentials,
    environment,
    signal,
    clock,
    onRetry: () => {},
  });
  const { text } = await getSecret(service, { secretId, versionStage: "AWSCURRENT" });
  return text;
}
