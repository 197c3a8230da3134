import type { CallAction } from "./json-service.ts";

export interface Parameter {
  readonly value: string;
  readonly version: string;
  readonly arn: string;
  /** Whether AWS keeps it encrypted. */
  readonly isSecret: boolean;
}

/**
 * A parameter of the Systems Manager.
 *
 * @param ssm calls actions of the service "ssm".
 * @throws {AwsError}
 */
export async function getParameter(ssm: CallAction, name: string, withDecryption: boolean): Promise<Parameter> {
  const input = { Name: name, WithDecryption: withDecryption };
  const { Parameter: found } = (await ssm("GetParameter", input, `"${name}"`)) as {
    Parameter?: Record<string, unknown>;
  };
  return {
    value: String(found?.["Value"] ?? ""),
    version: String(found?.["Version"] ?? ""),
    arn: String(found?.["ARN"] ?? ""),
    isSecret: found?.["Type"] === "SecureString",
  };
}
