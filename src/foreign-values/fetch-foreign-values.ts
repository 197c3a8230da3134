import type { Clock } from "../base/clock.ts";
import { hintOf, messageOf, ToolError } from "../base/errors.ts";
import { type FetchForeignValue, type ForeignRequest, ForeignValueError } from "../template/foreign-values.ts";
import { consulValue } from "./consul.ts";
import type { Environment } from "./environment.ts";
import { vaultField } from "./vault.ts";

export interface ForeignValueOptions {
  /** Says where the services are and who asks. */
  readonly environment: Environment;
  readonly clock: Clock;
  /** Told of every value that must never be shown: secrets, and the credentials for them. Keys of Consul are none. */
  readonly onSecret: (secret: string) => void;
}

/** What fetches values of Consul, Vault and AWS Secrets Manager. The AWS parts are loaded when they are needed. */
export function foreignValueFetcher(options: ForeignValueOptions): FetchForeignValue {
  return async (request, signal) => {
    switch (request.service) {
      case "consul":
        return consulValue(request.key, options, signal);
      case "vault": {
        const { VAULT_TOKEN: token } = options.environment;
        if (token) options.onSecret(token);
        return told(await vaultField(request, options, signal), options);
      }
      case "secretsmanager":
        return told(await secretsManagerValue(request, options, signal), options);
    }
  };
}

function told(secret: string, { onSecret }: ForeignValueOptions): string {
  if (secret !== "") onSecret(secret);
  return secret;
}

type SecretRequest = Extract<ForeignRequest, { readonly service: "secretsmanager" }>;

async function secretsManagerValue(
  request: SecretRequest,
  options: ForeignValueOptions,
  signal: AbortSignal,
): Promise<string> {
  const { getSecretText } = await import("../aws/secrets-manager.ts");
  let text: string;
  try {
    text = await getSecretText(request.secretId, options, signal);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ForeignValueError(messageOf(error), { cause: error, hint: hintOf(error) });
  }
  return request.isRaw === true ? text : partOfSecret(text, request);
}

/** The value of a key where the secret is a JSON object; of the only one if no key is named. */
function partOfSecret(text: string, { secretId, key }: SecretRequest): string {
  const parts = jsonObject(text);
  if (parts === undefined) return text;
  const names = Object.keys(parts);
  const problem = (reason: string) =>
    new ForeignValueError(`Cannot use secret "${secretId}": ${reason}`, {
      hint: `Its keys are ${names.map((name) => `"${name}"`).join(", ") || "none"}`,
    });
  const [only] = names;
  if (key === undefined && names.length !== 1) throw problem(`it has ${names.length} keys, and none was named`);
  const name = key ?? only ?? "";
  if (!Object.hasOwn(parts, name)) throw problem(`it has no key "${name}"`);
  const value = parts[name];
  if (typeof value === "string") return value;
  // As Packer does: without a fraction.
  if (typeof value === "number") return value.toFixed(0);
  throw problem(`the value of "${name}" is no text`);
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    // A secret that is just text.
    return undefined;
  }
}
