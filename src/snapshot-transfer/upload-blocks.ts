import { createHash } from "node:crypto";
import type { EbsApi, WrittenBlocks } from "../aws/ebs-api.ts";
import { type BlockHash, type BlockHashes, BlockHashList } from "../base/block-hashes.ts";
import { BlockSet } from "../base/block-set.ts";
import type { SnapshotId } from "../base/ids.ts";
import { forEachParallel } from "../base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { ZERO_BLOCK_SHA256 } from "../base/zero-block.ts";
import { hashBlock, isZeroBlock } from "./hash-block.ts";

/** A disk whose blocks are to be put into a snapshot. It must not change meanwhile. */
export interface UploadSource {
  /** Indexes of the blocks that may have to be put, each once. What is not among them is as in the parent, or zero. */
  readonly candidates: Iterable<number> | AsyncIterable<number>;
  /** Fills `target`, which is `SNAPSHOT_BLOCK_BYTES` long; zeros follow what is shorter. Many calls are under way at once. */
  readBlock(blockIndex: number, target: Uint8Array): Promise<void>;
}

/** Of a block of the parent snapshot; undefined for one that is zero. */
export type ParentHashOf = (blockIndex: number) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** What an interrupted upload into the same snapshot had already sent, and what this one sends. */
export interface AcknowledgedBlocks {
  has(blockIndex: number): boolean;
  /** EBS has the block. */
  add(block: BlockHash): void;
  /** All of them. */
  sorted(): BlockHashes;
}

export type BlockFate = "put" | "unchanged" | "put before";

export interface UploadBlocksOptions {
  readonly ebs: EbsApi;
  /** It is pending. */
  readonly snapshotId: SnapshotId;
  readonly source: UploadSource;
  /** Missing for a snapshot without a parent: there, blocks of zeros need not be put. */
  readonly parentHashOf?: ParentHashOf | undefined;
  /** @default none */
  readonly acknowledged?: AcknowledgedBlocks;
  /** Told of each candidate. */
  readonly onBlock?: (fate: BlockFate) => void;
  readonly signal: AbortSignal;
}

// 36 MiB of buffers. As many puts as there may be at once (64), and eight blocks that are being read and hashed.
const LANES = 72;

/**
 * Puts the blocks that differ from the parent's into a pending snapshot, many at once.
 *
 * @returns the hashes of all blocks that were put, now or before.
 * @throws the first failure, when nothing is under way any more.
 */
export async function uploadBlocks(options: UploadBlocksOptions): Promise<BlockHashes> {
  const { ebs, snapshotId, source, parentHashOf, onBlock, signal } = options;
  const acknowledged = options.acknowledged ?? new AcknowledgedInMemory();
  const buffers: Buffer[] = [];
  await forEachParallel(source.candidates, LANES, async (blockIndex, lane) => {
    signal.throwIfAborted();
    if (acknowledged.has(blockIndex)) return onBlock?.("put before");
    buffers[lane] ??= Buffer.allocUnsafeSlow(SNAPSHOT_BLOCK_BYTES);
    const data = buffers[lane];
    await source.readBlock(blockIndex, data);
    const parentSha256 = (await parentHashOf?.(blockIndex)) ?? ZERO_BLOCK_SHA256;
    const sha256 = isZeroBlock(data) ? ZERO_BLOCK_SHA256 : hashBlock(data);
    if (Buffer.compare(sha256, parentSha256) === 0) return onBlock?.("unchanged");
    await ebs.putSnapshotBlock(snapshotId, { blockIndex, data, sha256 });
    acknowledged.add({ blockIndex, sha256 });
    onBlock?.("put");
  });
  return acknowledged.sorted();
}

/** What EBS wants to hear of the blocks that were put, to seal the snapshot. */
export function writtenBlocks(hashes: BlockHashes): WrittenBlocks {
  const hash = createHash("sha256");
  for (const { sha256 } of hashes) hash.update(sha256);
  return { changedBlocksCount: hashes.count, checksum: hash.digest() };
}

/** For an upload that is tried again in this process. */
export class AcknowledgedInMemory implements AcknowledgedBlocks {
  readonly #list = new BlockHashList();
  readonly #indexes = new BlockSet();

  has(blockIndex: number): boolean {
    return this.#indexes.has(blockIndex);
  }

  add(block: BlockHash): void {
    this.#indexes.add(block.blockIndex);
    this.#list.add(block);
  }

  sorted(): BlockHashes {
    return this.#list.sorted();
  }
}
