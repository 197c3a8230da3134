import type { EbsApi } from "../aws/ebs-api.ts";
import { openSnapshotReader, type SnapshotReader } from "../aws/ebs-snapshot-reader.ts";
import type { Clock } from "../base/clock.ts";
import type { SnapshotId } from "../base/ids.ts";
import { forEachParallel } from "../base/parallel.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import type { ManifestStore } from "./manifest-store.ts";
import { findTarget, openPartialFile, type PartialFile, partialPath } from "./partial-file.ts";
import { TransferMeter, type TransferProgress } from "./transfer-meter.ts";

export type DownloadEvent =
  | {
      readonly type: "started";
      readonly sizeGib: number;
      readonly totalBlocks: number;
      /** What is written until it is whole. */
      readonly partPath: string;
    }
  /** An earlier run had written some of the blocks, and they are what they should be. */
  | { readonly type: "resumed"; readonly writtenBlocks: number }
  | ({ readonly type: "progress" } & TransferProgress);

export interface DownloadOptions {
  readonly snapshotId: SnapshotId;
  readonly path: string;
  /** Whether a file that is there is replaced, at the end. Of a link, it is the file that it leads to. */
  readonly force: boolean;
  readonly ebs: EbsApi;
  readonly manifests: ManifestStore;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: (event: DownloadEvent) => void;
}

export interface DownloadedFile {
  readonly sizeGib: number;
  /** How many blocks EBS keeps of the snapshot. */
  readonly blockCount: number;
}

// As many gets as there may be at once (64), and some blocks that are being written.
const LANES = 72;

/**
 * Writes a snapshot into a new sparse file. Interrupted, it leaves FILE.part and FILE.part.log: the same call goes on
 * from there. FILE is there only when it is whole.
 */
export async function downloadFile(options: DownloadOptions): Promise<DownloadedFile> {
  const { snapshotId, path, force, ebs, signal, emit } = options;
  const target = await findTarget(path, force);
  const reader = await openSnapshotReader(ebs, snapshotId, options);
  const { sizeGib, blockIndexes } = reader;
  const sizeBytes = sizeGib * GIB;
  await using part = await openPartialFile(target, { snapshotId, sizeBytes }, signal);
  emit({ type: "started", sizeGib, totalBlocks: blockIndexes.length, partPath: partialPath(target) });
  if (part.written.count > 0) emit({ type: "resumed", writtenBlocks: part.written.count });
  await fetchBlocks(reader, part, options);
  // A device may have come there.
  if (force) await findTarget(target, force);
  await part.finish(force);
  // Only saves a later upload on this snapshot from reading it.
  await options.manifests.write(snapshotId, { sizeBytes, blocks: part.written.sorted() }).catch(() => {});
  return { sizeGib, blockCount: blockIndexes.length };
}

async function fetchBlocks(
  reader: SnapshotReader,
  part: PartialFile,
  { signal, clock, emit }: DownloadOptions,
): Promise<void> {
  const { written } = part;
  const buffers: Buffer[] = [];
  const meter = new TransferMeter(reader.blockIndexes.length, clock);
  const tell = () => emit({ type: "progress", ...meter.progress() });
  meter.countEarlier(written.count);
  tell();
  await forEachParallel(reader.blockIndexes, LANES, async (blockIndex, lane) => {
    signal.throwIfAborted();
    if (written.has(blockIndex)) return;
    buffers[lane] ??= Buffer.allocUnsafeSlow(SNAPSHOT_BLOCK_BYTES);
    const block = await reader.read(blockIndex, buffers[lane]);
    if (block === undefined) throw new Error(`EBS lists block ${blockIndex} of ${reader.snapshotId} no more`);
    await part.writeBlock(blockIndex, block.data);
    written.addSoon(block);
    meter.count({ isMoved: true });
    tell();
  });
}
