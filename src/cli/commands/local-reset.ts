import { createInterface } from "node:readline/promises";
import { isStore, resetStore } from "../../local-cloud/reset-store.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { usageError } from "../usage-error.ts";
import { stopDaemon } from "./local-stop.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";

/** Deletes the store, with every device it has on this host, after asking. */
export async function runLocalReset(
  options: StoreOptions & { readonly yes?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const storeDirectory = localStoreDirectory(options, context.environment);
  if (!(await isStore(storeDirectory))) {
    context.stderr.write(`There is no store in ${storeDirectory}\n`);
    return 0;
  }
  using signal = context.abortOnSignals();
  if (!options.yes && !(await isConfirmed(storeDirectory, context, signal))) {
    context.stderr.write("Nothing was deleted\n");
    return 0;
  }
  await stopDaemon(storeDirectory, false);
  await resetStore(storeDirectory, { signal });
  context.stderr.write(`Deleted the store in ${storeDirectory}\n`);
  return 0;
}

async function isConfirmed(storeDirectory: string, context: CliContext, signal: AbortSignal): Promise<boolean> {
  const { stdin, stderr } = context;
  if (!stdin.isTTY) throw usageError(`Cannot ask whether to delete "${storeDirectory}"`, "Say it in advance: --yes");
  const lines = createInterface({ input: stdin });
  try {
    stderr.write(`Delete all images, volumes and snapshots in ${storeDirectory}? [y/N] `);
    const answer = await lines.question("", { signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
