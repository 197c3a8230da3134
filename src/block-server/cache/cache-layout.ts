import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf, ToolError } from "../../base/errors.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import type { BlockHash } from "./block-hash.ts";

/** Blocks hold secrets of the images that they are of: nobody else may look. */
export const CACHE_DIRECTORY_MODE = 0o700;
export const CACHE_FILE_MODE = 0o600;

/** Where a cache keeps what. All of it is on one file system. */
export interface CacheLayout {
  readonly cacheDirectory: string;
  readonly blockDirectory: string;
  /** What is known of snapshots. */
  readonly snapshotDirectory: string;
  /** Files that are being written. Emptied when a server opens the cache. */
  readonly incomingDirectory: string;
}

export function cacheLayout(cacheDirectory: string): CacheLayout {
  return {
    cacheDirectory,
    blockDirectory: join(cacheDirectory, "blocks"),
    snapshotDirectory: join(cacheDirectory, "snapshots"),
    incomingDirectory: join(cacheDirectory, "incoming"),
  };
}

export const controlSocketPath = (cacheDirectory: string): string => join(cacheDirectory, "control.sock");
export const nbdSocketPath = (cacheDirectory: string): string => join(cacheDirectory, "nbd.sock");
export const serverLogPath = (cacheDirectory: string): string => join(cacheDirectory, "server.log");
/** Held by the server. */
export const lockPath = (cacheDirectory: string): string => join(cacheDirectory, "lock");
/** Held by those who look whether a server runs and start one if not. */
export const startLockPath = (cacheDirectory: string): string => join(cacheDirectory, "start.lock");

export function blockPath({ blockDirectory }: CacheLayout, hash: BlockHash): string {
  return join(blockDirectory, hash.slice(0, 2), hash.slice(2));
}

/**
 * Makes the directory of a cache, if it is missing.
 *
 * @throws {ToolError} ERR_CACHE_ACCESS if it cannot be made, or others could change what is in it.
 */
export async function makeCacheDirectory(cacheDirectory: string): Promise<void> {
  const cannot = (why: string, cause?: unknown) =>
    new ToolError("ERR_CACHE_ACCESS", `Cannot use the block cache "${cacheDirectory}": ${why}`, {
      cause,
      hint: "Choose a directory that is yours alone: AMIBAKE_CACHE_DIR=DIRECTORY",
      fault: "host",
    });
  try {
    await makeDirectories(cacheDirectory, CACHE_DIRECTORY_MODE);
  } catch (cause) {
    throw cannot(reasonOf(cause), cause);
  }
  const { uid, mode } = await stat(cacheDirectory);
  // Whoever can rename what is in it decides what gets into images.
  if (uid !== process.geteuid?.()) throw cannot(`it belongs to the user ${uid}`);
  if ((mode & 0o022) !== 0) throw cannot(`others may write into it (mode ${(mode & 0o7777).toString(8)})`);
}

/** The directories in it, and nothing in them that a killed server was writing. The caller holds the cache's lock. */
export async function prepareCache(layout: CacheLayout): Promise<void> {
  const { blockDirectory, snapshotDirectory, incomingDirectory } = layout;
  await Promise.all(
    [blockDirectory, snapshotDirectory, incomingDirectory].map((path) => makeDirectories(path, CACHE_DIRECTORY_MODE)),
  );
  for (const name of await readdir(incomingDirectory)) await rm(join(incomingDirectory, name), { force: true });
}
