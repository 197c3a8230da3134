import { readdir, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode, ToolError } from "../../base/errors.ts";
import { type FileLock, tryLockFile } from "../../linux/files/file-lock.ts";
import { findLockHolders } from "../../linux/files/lock-holders.ts";
import { type CacheLayout, cacheLayout, lockPath } from "./cache-layout.ts";

export interface CacheStatus {
  readonly cacheDirectory: string;
  readonly blockCount: number;
  /** Of the blocks. */
  readonly bytes: number;
  /** Snapshots of which it is known what they consist of. */
  readonly snapshotCount: number;
}

/** What is in a cache, which may be in use. One that does not exist is empty. */
export async function cacheStatus(cacheDirectory: string): Promise<CacheStatus> {
  const { blockDirectory, snapshotDirectory } = cacheLayout(cacheDirectory);
  const [blocks, snapshots] = await Promise.all([filesIn(blockDirectory), filesIn(snapshotDirectory)]);
  // ENOENT: it was evicted meanwhile.
  const sizes = await Promise.all(
    blocks.map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return {
    cacheDirectory,
    blockCount: blocks.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    snapshotCount: snapshots.filter((path) => path.endsWith(".blocks")).length,
  };
}

/**
 * Deletes what is in a cache.
 *
 * @returns what it was.
 * @throws {ToolError} ERR_CACHE_IN_USE while a server uses it.
 */
export async function clearCache(cacheDirectory: string): Promise<CacheStatus> {
  const before = await cacheStatus(cacheDirectory);
  if (!(await isCache(cacheLayout(cacheDirectory)))) return before;
  await using _lock = await lockOrRefuse(await realpath(cacheDirectory));
  const { blockDirectory, snapshotDirectory, incomingDirectory } = cacheLayout(cacheDirectory);
  // By name: the directory may be one that holds other things too.
  for (const path of [snapshotDirectory, incomingDirectory, blockDirectory]) {
    await rm(path, { recursive: true, force: true });
  }
  return before;
}

async function isCache({ blockDirectory }: CacheLayout): Promise<boolean> {
  return stat(blockDirectory).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

async function lockOrRefuse(cacheDirectory: string): Promise<FileLock> {
  const path = lockPath(cacheDirectory);
  const lock = await tryLockFile(path);
  if (lock !== undefined) return lock;
  const holders = (await findLockHolders(path)).join("; ") || "another process";
  throw new ToolError("ERR_CACHE_IN_USE", `Cannot clear the block cache "${cacheDirectory}": ${holders} uses it`, {
    hint: "Wait for the builds to end that read from it",
    fault: "host",
  });
}

async function filesIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
