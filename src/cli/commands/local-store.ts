// Where the local cloud of a command keeps its disks, and how the command gets at its daemon.
import { join, resolve } from "node:path";
import { askDaemon } from "../../local-cloud/daemon/control-client.ts";
import { connectLocalCloud, type LocalCloudLease } from "../../local-cloud/local-client.ts";
import type { CliContext } from "../cli-context.ts";
import { usageError } from "../usage-error.ts";

export interface StoreOptions {
  /** `--store` */
  readonly store?: string | undefined;
}

type Environment = CliContext["environment"];

/** `--store`, AMIBAKE_LOCAL_STORE, or the user's data folder. Absolute; it need not exist. */
export function localStoreDirectory({ store }: StoreOptions, environment: Environment): string {
  const named = store ?? environment["AMIBAKE_LOCAL_STORE"];
  if (named) return resolve(named);
  // The XDG specification: a path that is not absolute is to be ignored.
  const dataHome = environment["XDG_DATA_HOME"];
  if (dataHome?.startsWith("/")) return join(dataHome, "amibake/local");
  const home = environment["HOME"];
  if (home?.startsWith("/")) return join(home, ".local/share/amibake/local");
  throw usageError("Cannot find a place for the local cloud: HOME is not set", "Say where: --store DIRECTORY");
}

/** Uses the store's local cloud, or starts one that ends with the last command that uses it. */
export function connectToStore(
  storeDirectory: string,
  context: Pick<CliContext, "selfCommand">,
  signal?: AbortSignal,
): Promise<LocalCloudLease> {
  const startCommand = [...context.selfCommand, "local", "serve", "--ephemeral", "--store", storeDirectory];
  return connectLocalCloud({ storeDirectory, startCommand, signal });
}

/**
 * The store whose local cloud the environment points to, as what `local start` prints does.
 *
 * @returns undefined if it points elsewhere, or that local cloud does not run.
 */
export async function storeOfEnvironment(environment: Environment): Promise<string | undefined> {
  const store = environment["AMIBAKE_LOCAL_STORE"];
  const endpoint = environment["AWS_ENDPOINT_URL"];
  if (!store || !endpoint) return undefined;
  const answer = await askDaemon(store, "status", {});
  await answer?.[Symbol.asyncDispose]();
  return answer?.result.url === endpoint ? resolve(store) : undefined;
}
