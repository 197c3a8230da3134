import { join } from "node:path";
import { ToolError } from "../base/errors.ts";
import { type FileLock, lockFile } from "../linux/file-lock.ts";

/** A daemon that is just ending gives its devices back first. */
const LOCK_DEADLINE_MS = 15_000;

/**
 * Takes the lock that whoever changes a store holds: its daemon, or a reset.
 *
 * @throws {ToolError} ERR_STORE_IN_USE if somebody holds it for longer than an ending daemon needs.
 */
export async function lockStore(storeDirectory: string, signal: AbortSignal): Promise<FileLock> {
  const deadline = AbortSignal.timeout(LOCK_DEADLINE_MS);
  try {
    return await lockFile(join(storeDirectory, "lock"), { signal: AbortSignal.any([signal, deadline]) });
  } catch (error) {
    if (signal.aborted || !deadline.aborted) throw error;
    throw new ToolError("ERR_STORE_IN_USE", `Cannot use the store "${storeDirectory}": another daemon holds it`, {
      hint: `Stop it: amibake local stop --store ${storeDirectory}`,
      fault: "host",
    });
  }
}

/** Takes the lock of those who look whether a daemon runs and start one if not. */
export function lockStarting(storeDirectory: string, signal: AbortSignal): Promise<FileLock> {
  return lockFile(join(storeDirectory, "start.lock"), { signal });
}
