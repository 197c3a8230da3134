import type { Stats } from "node:fs";
import { realpath, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { systemCode } from "../../base/errors.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { lockFile, tryLockFile } from "./file-lock.ts";
import { makeDirectories } from "./make-directories.ts";
import { openToRead } from "./regular-file.ts";

/**
 * Changes a text file that others may be changing at the same time: no change is lost, and a reader finds the old text
 * or the new one, never a part. A symlink to it stays one; its mode and owner stay.
 *
 * While it is changed, a lock file stands beside it. Its directory is made if it is missing.
 *
 * @param change gives the new text for the old one, which is missing if there is no file.
 * @throws {ToolError} for what is no regular file.
 * @throws the signal's reason if it is aborted before the change has begun. What has begun is finished.
 */
export async function changeFile(
  path: string,
  change: (text: string | undefined) => string,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const target = await realPath(path);
  const lockPath = `${target}.lock`;
  await using _tidy = { [Symbol.asyncDispose]: () => removeIfUnused(lockPath) };
  await using _lock = await lockFile(lockPath, { signal });
  const old = await readWithStatus(target, path);
  const text = change(old?.text);
  if (old === undefined) await writeFileAtomically(target, text, 0o644);
  else await writeFileAtomically(target, text, old.status.mode & 0o7777, old.status);
}

/**
 * Only while it is locked, so that whoever comes just now notices that it has gone, and makes it anew. Those who wait
 * have the lock by now: they keep the file, where each would otherwise begin again.
 */
async function removeIfUnused(lockPath: string): Promise<void> {
  await using lock = await tryLockFile(lockPath);
  if (lock !== undefined) await rm(lockPath, { force: true });
}

/** Where a path leads, also if there is no file yet. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  const absolute = resolve(path);
  await makeDirectories(dirname(absolute));
  return join(await realpath(dirname(absolute)), basename(absolute));
}

async function readWithStatus(
  path: string,
  shownAs: string,
): Promise<{ readonly text: string; readonly status: Stats } | undefined> {
  try {
    await using file = await openToRead(path, { shownAs, followLast: false });
    return { status: await file.stat(), text: await file.readFile("utf8") };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
