import type { Clock } from "../base/clock.ts";
import { ForeignValueError } from "../template/foreign-values.ts";
import { askService, type Service, wayLost } from "./ask-service.ts";
import { type Environment, isSwitchedOn, readCertificates } from "./environment.ts";

const DEFAULT_ADDRESS = "https://127.0.0.1:8200";

/**
 * A field of a secret in Vault, found by the variables that Vault's own clients read.
 *
 * @param path with the mount; of a key-value store of version 2 with its `data/`.
 * @throws {ForeignValueError}
 */
export async function vaultField(
  { path, key }: { path: string; key: string },
  { environment, clock }: { environment: Environment; clock: Clock },
  signal: AbortSignal,
): Promise<string> {
  const token = environment["VAULT_TOKEN"];
  if (!token) {
    throw new ForeignValueError(`Cannot read "${path}" from Vault: VAULT_TOKEN is not set`, {
      hint: "Log in and set it: export VAULT_TOKEN=$(vault print token)",
    });
  }
  const service = vaultService(path, token, environment);
  const problem = (reason: string, hint?: string) =>
    new ForeignValueError(`Cannot read "${path}" from Vault at ${service.url.origin}: ${reason}`, { hint });
  const answer = await askService(service, clock, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw problem(wayLost(error), `${environment["VAULT_ADDR"] ? "Check" : "Set"} VAULT_ADDR`);
  });
  if (answer.status === 404) {
    throw problem(
      "there is no such secret",
      "The path of a key-value store of version 2 has data/ behind its mount: /secret/data/name",
    );
  }
  if (answer.status === 403)
    throw problem("the token may not read it", "Check VAULT_TOKEN, and the policy of the token");
  if (answer.status !== 200) throw problem(`it answers with status ${answer.status}${reasonsIn(answer.body)}`);
  const fields = fieldsOf(answer.body);
  if (fields === undefined) throw problem("its answer is none of Vault's");
  const value = fields[key];
  if (typeof value === "string") return value;
  const names = Object.keys(fields)
    .map((name) => `"${name}"`)
    .join(", ");
  throw problem(
    value === undefined ? `it has no field "${key}", but ${names || "none"}` : `its field "${key}" is no text`,
  );
}

function vaultService(path: string, token: string, environment: Environment): Service {
  const address = environment["VAULT_ADDR"] || DEFAULT_ADDRESS;
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new ForeignValueError(`Cannot ask Vault: VAULT_ADDR is "${address}", which is no address`, {
      hint: "Write it as https://host:8200",
    });
  }
  const encoded = path.replace(/^\/+/, "").split("/").map(encodeURIComponent).join("/");
  const namespace = environment["VAULT_NAMESPACE"];
  return {
    url: new URL(`${address.replace(/\/$/, "")}/v1/${encoded}`),
    headers: {
      "x-vault-token": token,
      "x-vault-request": "true",
      ...(namespace ? { "x-vault-namespace": namespace } : {}),
    },
    trusted: readCertificates("VAULT_CACERT", environment),
    isVerified: !isSwitchedOn(environment["VAULT_SKIP_VERIFY"]),
  };
}

/** Of version 2, the fields are one level deeper. */
function fieldsOf(body: string): Readonly<Record<string, unknown>> | undefined {
  const data = member(parsed(body), "data");
  const inner = member(data, "data");
  return record(inner) ?? record(data);
}

function reasonsIn(body: string): string {
  const errors = member(parsed(body), "errors");
  return Array.isArray(errors) && errors.length > 0 ? `: ${errors.join(", ")}` : "";
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // A proxy's page.
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return record(value)?.[name];
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}
