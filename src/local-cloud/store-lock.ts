import { join } from "node:path";
import { ToolError } from "../base/errors.ts";
import { lockForDaemon } from "../linux/daemons/daemon-lock.ts";
import { type FileLock, lockFile } from "../linux/files/file-lock.ts";

/**
 * Takes the lock that whoever changes a store holds: its daemon, or a reset.
 *
 * @throws {ToolError} ERR_STORE_IN_USE if somebody holds it for longer than an ending daemon needs.
 */
export function lockStore(storeDirectory: string, signal: AbortSignal): Promise<FileLock> {
  return lockForDaemon(
    join(storeDirectory, "lock"),
    signal,
    () =>
      new ToolError("ERR_STORE_IN_USE", `Cannot use the store "${storeDirectory}": another daemon holds it`, {
        hint: `Stop it: amibake local stop --store ${storeDirectory}`,
        fault: "host",
      }),
  );
}

/** Takes the lock of those who look whether a daemon runs and start one if not. */
export function lockStarting(storeDirectory: string, signal: AbortSignal): Promise<FileLock> {
  return lockFile(join(storeDirectory, "start.lock"), { signal });
}
