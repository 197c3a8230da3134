// The data plane: disk files to blocks, and blocks to disk files.
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { forEachParallel } from "../../base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { ZERO_BLOCK, ZERO_BLOCK_HASH } from "../../base/zero-block.ts";
import { readFully } from "../../linux/files/read-fully.ts";
import { blocksOf, dataExtents } from "../../linux/files/sparse-file.ts";
import type { BlockHash } from "./block-medium.ts";
import type { BlockStore } from "./block-store.ts";
import type { ManifestBlock, SnapshotManifest } from "./snapshot-manifest.ts";

// Node's thread pool has four threads: more only queue, and a few more keep it busy.
const PARALLEL_MAX = 6;

export interface ProgressOptions {
  /** Called as blocks are done. */
  readonly onProgress?: ((doneCount: number, totalCount: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StoreDiskOptions extends ProgressOptions {
  /** What the disk was made from: its unchanged blocks are compared instead of hashed. */
  readonly base?: SnapshotManifest | undefined;
  /** At least that of the file, which zeros then follow. @default that of the file */
  readonly sizeBytes?: number | undefined;
}

/**
 * Stores the content of a disk file, which it reads only where it has data.
 *
 * On success each block of the result is used once more, and durable. On failure nothing is.
 */
export async function storeDisk(
  path: string,
  store: BlockStore,
  options: StoreDiskOptions = {},
): Promise<SnapshotManifest> {
  await using file = await open(path, "r");
  const sizeBytes = options.sizeBytes ?? (await file.stat()).size;
  const indexes = blocksOf(await dataExtents(file), SNAPSHOT_BLOCK_BYTES);
  const baseHashes = new Map(options.base?.blocks.map(({ blockIndex, hash }) => [blockIndex, hash]));
  const buffers = blockBuffers();
  const baseBuffers = baseHashes.size > 0 ? blockBuffers() : [];
  const blocks: ManifestBlock[] = [];
  let doneCount = 0;
  try {
    await forEachParallel(indexes, PARALLEL_MAX, async (blockIndex, worker) => {
      options.signal?.throwIfAborted();
      const data = buffers[worker] as Buffer;
      await readFully(file, data, blockIndex * SNAPSHOT_BLOCK_BYTES);
      const baseHash = baseHashes.get(blockIndex);
      const isUnchanged = baseHash !== undefined && (await retainIfEqual(store, baseHash, data, baseBuffers[worker]));
      const hash = isUnchanged ? baseHash : await putUnlessZero(store, data);
      if (hash !== undefined) blocks.push({ blockIndex, hash });
      options.onProgress?.(++doneCount, indexes.length);
    });
    await store.sync();
  } catch (error) {
    await store.release(blocks.map(({ hash }) => hash));
    throw error;
  }
  return { sizeBytes, blocks: blocks.sort((a, b) => a.blockIndex - b.blockIndex) };
}

/**
 * Writes the blocks of a snapshot into a new sparse file of `sizeBytes`.
 *
 * The caller sees to it that the blocks stay, and removes the file after a failure.
 */
export async function writeDisk(
  path: string,
  manifest: SnapshotManifest,
  store: BlockStore,
  options: ProgressOptions & { readonly sizeBytes: number },
): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.truncate(options.sizeBytes);
  const buffers = blockBuffers();
  let doneCount = 0;
  // The new file is zeros all over.
  const blocks = manifest.blocks.filter(({ hash }) => hash !== ZERO_BLOCK_HASH);
  await forEachParallel(blocks, PARALLEL_MAX, async ({ blockIndex, hash }, worker) => {
    options.signal?.throwIfAborted();
    const data = buffers[worker] as Buffer;
    await store.read(hash, data);
    const offsetBytes = blockIndex * SNAPSHOT_BLOCK_BYTES;
    // The last block of a disk whose size is no multiple of a block was padded.
    const byteCount = Math.min(SNAPSHOT_BLOCK_BYTES, options.sizeBytes - offsetBytes);
    await file.write(data, 0, byteCount, offsetBytes);
    options.onProgress?.(++doneCount, blocks.length);
  });
}

function blockBuffers(): Buffer[] {
  return Array.from({ length: PARALLEL_MAX }, () => Buffer.allocUnsafe(SNAPSHOT_BLOCK_BYTES));
}

async function retainIfEqual(store: BlockStore, hash: BlockHash, data: Buffer, buffer?: Buffer): Promise<boolean> {
  // The use is counted first, so that the block cannot go between the look and the count.
  if (buffer === undefined || !store.retain(hash)) return false;
  try {
    if (await store.isEqual(hash, data, buffer)) return true;
  } catch (error) {
    await store.release([hash]);
    throw error;
  }
  await store.release([hash]);
  return false;
}

/** @returns undefined for a block of zeros: it is kept by leaving it out. */
async function putUnlessZero(store: BlockStore, data: Buffer): Promise<BlockHash | undefined> {
  if (data.equals(ZERO_BLOCK)) return undefined;
  const hash = createHash("sha256").update(data).digest("hex");
  await store.put(hash, data);
  return hash;
}
