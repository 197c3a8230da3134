import type { EbsApi } from "../aws/ebs-api.ts";
import { openSnapshotReader } from "../aws/ebs-snapshot-reader.ts";
import { isUnknown } from "../base/block-hashes.ts";
import type { Clock } from "../base/clock.ts";
import type { SnapshotId } from "../base/ids.ts";
import { forEachParallel } from "../base/parallel.ts";
import type { SnapshotManifest } from "../base/snapshot-manifest.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { ZERO_BLOCK_SHA256 } from "../base/zero-block.ts";
import { TransferMeter, type TransferProgress } from "./transfer-meter.ts";

export type Difference =
  /** The manifest has the block, the snapshot reads as zeros there. */
  | "missing"
  /** The snapshot has content where the manifest has none. */
  | "extra"
  | "different";

export interface VerifiedSnapshot {
  /** Whether the snapshot is what the manifest says. */
  readonly isSame: boolean;
  /** What the snapshot has. */
  readonly sizeBytes: number;
  /** Indexes of blocks, ascending. */
  readonly differences: Readonly<Record<Difference, readonly number[]>>;
  /** How many blocks were read back and compared. */
  readonly blockCount: number;
  /** How many are as in the snapshot's parent, and were never looked at: there is nothing to compare them with. */
  readonly unknownCount: number;
}

const LANES = 64;

/** Reads a whole snapshot back and compares each block with a manifest. */
export async function verifySnapshot(options: {
  readonly snapshotId: SnapshotId;
  readonly manifest: SnapshotManifest;
  readonly ebs: EbsApi;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: (progress: TransferProgress) => void;
}): Promise<VerifiedSnapshot> {
  const { snapshotId, manifest, ebs, signal, clock, emit } = options;
  const reader = await openSnapshotReader(ebs, snapshotId, { signal, clock });
  const differences: Record<Difference, number[]> = { missing: [], extra: [], different: [] };
  const comparable = reader.blockIndexes.filter((blockIndex) => {
    const expected = manifest.blocks.get(blockIndex);
    return expected === undefined || !isUnknown(expected);
  });
  const meter = new TransferMeter(comparable.length, clock);
  const buffers: Uint8Array[] = [];
  emit(meter.progress());
  await forEachParallel(comparable, LANES, async (blockIndex, lane) => {
    signal.throwIfAborted();
    buffers[lane] ??= Buffer.allocUnsafeSlow(SNAPSHOT_BLOCK_BYTES);
    const sha256 = (await reader.read(blockIndex, buffers[lane]))?.sha256 ?? ZERO_BLOCK_SHA256;
    const difference = differenceOf(manifest.blocks.get(blockIndex), sha256);
    if (difference !== undefined) differences[difference].push(blockIndex);
    meter.count({ isMoved: true });
    emit(meter.progress());
  });
  const kept = new Set(reader.blockIndexes);
  for (const { blockIndex, sha256 } of manifest.blocks) {
    if (!kept.has(blockIndex) && !isZero(sha256)) differences.missing.push(blockIndex);
  }
  for (const indexes of Object.values(differences)) indexes.sort((a, b) => a - b);
  const sizeBytes = reader.sizeGib * GIB;
  const isSame = sizeBytes === manifest.sizeBytes && Object.values(differences).every(({ length }) => length === 0);
  const unknownCount = reader.blockIndexes.length - comparable.length;
  return { isSame, sizeBytes, differences, blockCount: comparable.length, unknownCount };
}

/** A block of zeros is the same whether it is listed or not. */
function differenceOf(expected: Uint8Array | undefined, actual: Uint8Array): Difference | undefined {
  if (Buffer.compare(expected ?? ZERO_BLOCK_SHA256, actual) === 0) return undefined;
  if (expected === undefined || isZero(expected)) return "extra";
  return isZero(actual) ? "missing" : "different";
}

function isZero(sha256: Uint8Array): boolean {
  return Buffer.compare(sha256, ZERO_BLOCK_SHA256) === 0;
}
