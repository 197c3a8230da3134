import { askDaemon } from "../../local-cloud/daemon/control-client.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";

/** Stops the local cloud and waits until it has ended. None that runs is success. */
export async function runLocalStop(
  options: StoreOptions & { readonly force?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const storeDirectory = localStoreDirectory(options, context.environment);
  const pid = await stopDaemon(storeDirectory, options.force ?? false);
  const text = pid === undefined ? "No local cloud runs" : `Stopped the local cloud (process ${pid})`;
  context.stderr.write(`${text} for ${storeDirectory}\n`);
  return 0;
}

/** @returns the process that has ended, if one ran. */
export async function stopDaemon(storeDirectory: string, force: boolean): Promise<number | undefined> {
  await using answer = await askDaemon(storeDirectory, "stop", { force });
  await answer?.ended;
  return answer?.result.pid;
}
