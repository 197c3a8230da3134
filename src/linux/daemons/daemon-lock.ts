import { type FileLock, lockFile } from "../files/file-lock.ts";

/** A daemon that is just ending gives back what it holds first. */
const LOCK_DEADLINE_MS = 15_000;

/**
 * Takes the lock that a daemon holds for as long as it runs.
 *
 * @param heldError if somebody holds it for longer than an ending daemon needs.
 */
export async function lockForDaemon(path: string, signal: AbortSignal, heldError: () => Error): Promise<FileLock> {
  const deadline = AbortSignal.timeout(LOCK_DEADLINE_MS);
  try {
    return await lockFile(path, { signal: AbortSignal.any([signal, deadline]) });
  } catch (error) {
    if (signal.aborted || !deadline.aborted) throw error;
    throw heldError();
  }
}
