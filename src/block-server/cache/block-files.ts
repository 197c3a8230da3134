import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { reasonOf, systemCode } from "../../base/errors.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { type BlockHash, hashOf } from "./block-hash.ts";
import { blockPath, CACHE_DIRECTORY_MODE, CACHE_FILE_MODE, type CacheLayout } from "./cache-layout.ts";

/** What a block's file turned out to be. */
export type StoredBlock = { readonly data: Buffer } | { readonly missing: true } | { readonly damage: string };

/** Reads a block and makes sure that it is the one. Never throws: a block that cannot be read is not there. */
export async function readBlockFile(layout: CacheLayout, hash: BlockHash): Promise<StoredBlock> {
  const path = blockPath(layout, hash);
  try {
    await using file = await open(path, "r");
    // One byte more: a longer file is none of ours.
    const buffer = Buffer.allocUnsafeSlow(SNAPSHOT_BLOCK_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead !== SNAPSHOT_BLOCK_BYTES) return { damage: `it has ${bytesRead} bytes` };
    const data = buffer.subarray(0, SNAPSHOT_BLOCK_BYTES);
    if ((await hashOf(data)) !== hash) return { damage: "its content has changed" };
    await markUsed(file);
    return { data };
  } catch (error) {
    // ENOENT mostly. EMFILE and the like say nothing about the block.
    return systemCode(error) === "EIO" ? { damage: reasonOf(error) } : { missing: true };
  }
}

/** Its time of change says when a block was used last. That need not be exact: one write an hour is enough. */
const MARKED_AGAIN_MS = 3_600_000;

async function markUsed(file: FileHandle): Promise<void> {
  const { mtimeMs } = await file.stat();
  const now = new Date();
  if (now.getTime() - mtimeMs < MARKED_AGAIN_MS) return;
  // A file system that is read-only now: it then keeps the order that it has.
  await file.utimes(now, now).catch(() => {});
}

/**
 * Puts a block into its place, all of it or nothing. Any number of processes may write the same one.
 *
 * It is not synced: what a crash leaves of it is noticed by its hash.
 *
 * @throws the system's error, such as ENOSPC.
 */
export async function writeBlockFile(layout: CacheLayout, hash: BlockHash, data: Uint8Array): Promise<void> {
  const path = blockPath(layout, hash);
  const incomingPath = join(layout.incomingDirectory, randomUUID());
  try {
    await writeFile(incomingPath, data, { mode: CACHE_FILE_MODE, flag: "wx" });
    try {
      await rename(incomingPath, path);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      // The first one of these two digits.
      await makeDirectories(dirname(path), CACHE_DIRECTORY_MODE);
      await rename(incomingPath, path);
    }
  } catch (error) {
    await rm(incomingPath, { force: true });
    throw error;
  }
}
