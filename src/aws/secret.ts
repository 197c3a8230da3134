import { ToolError } from "../base/errors.ts";
import type { CallAction } from "./json-service.ts";

export interface Secret {
  /** The text of the secret, whatever is in it. */
  readonly text: string;
  readonly versionId: string;
}

export interface SecretQuery {
  /** Name or ARN. */
  readonly secretId: string;
  readonly versionId?: string | undefined;
  readonly versionStage?: string | undefined;
}

/**
 * A secret of the Secrets Manager.
 *
 * @param secretsManager calls actions of the service "secretsmanager".
 * @throws {AwsError}
 */
export async function getSecret(secretsManager: CallAction, query: SecretQuery): Promise<Secret> {
  const { secretId, versionId, versionStage } = query;
  const input = {
    SecretId: secretId,
    ...(versionId === undefined ? {} : { VersionId: versionId }),
    ...(versionStage === undefined ? {} : { VersionStage: versionStage }),
  };
  const answer = await secretsManager("GetSecretValue", input, `"${secretId}"`);
  const { SecretString: text } = answer;
  if (typeof text !== "string") {
    throw new ToolError("ERR_SECRET", `Cannot use the secret "${secretId}": it is binary, and no text`, {
      fault: "usage",
      hint: "Keep it as a text",
    });
  }
  return { text, versionId: String(answer["VersionId"] ?? "") };
}

/**
 * A value of a secret that is a JSON object, or the secret itself if it is just a text.
 *
 * @param key missing: of an object, its first one.
 * @throws {ToolError} if there is no such key.
 */
export function secretValue(secretId: string, text: string, key: string | undefined): string {
  const object = objectIn(text);
  if (object === undefined) {
    if (key === undefined) return text;
    throw noKey(secretId, key, "it is no JSON object");
  }
  const chosen = key ?? Object.keys(object)[0];
  if (chosen === undefined || !Object.hasOwn(object, chosen)) {
    const keys = Object.keys(object).map((one) => `"${one}"`);
    throw noKey(secretId, chosen ?? "", keys.length === 0 ? "it has none" : `it has ${keys.join(", ")}`);
  }
  const value = object[chosen];
  return typeof value === "string" ? value : JSON.stringify(value);
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // A text.
    return undefined;
  }
}

function noKey(secretId: string, key: string, detail: string): ToolError {
  return new ToolError("ERR_SECRET", `Cannot find the key "${key}" of the secret "${secretId}": ${detail}`, {
    fault: "usage",
  });
}
