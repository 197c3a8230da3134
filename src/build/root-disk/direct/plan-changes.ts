import type { DevicePath } from "../../../base/ids.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../../base/units.ts";
import { freeExtents } from "../../../linux/devices/free-extents.ts";
import { listPartitions } from "../../../linux/devices/partitions.ts";
import { clipExtents, intersectExtents, joinExtents, subtractExtents } from "../../../linux/files/extents.ts";
import { blocksOf, type Extent } from "../../../linux/files/sparse-file.ts";
import type { Overlay } from "./overlay.ts";

/** What of an overlay may differ from its base. */
export interface Changes {
  /** Of the blocks, ascending. */
  readonly blockIndexes: readonly number[];
  /** The bytes that the build wrote and that are in use. */
  readonly written: readonly Extent[];
  /** The bytes that it wrote and that are free space now. */
  readonly discarded: readonly Extent[];
  /**
   * Blocks in which nothing else is in use: what was written and zeros make all of them, and the base need not be
   * looked at.
   */
  readonly whole: ReadonlySet<number>;
}

/**
 * Finds what a build has changed, less what it has written and deleted again: of free space a file system shows nothing,
 * so a block in which only such was written stays as it is in the base.
 *
 * Only after all of the disk has been unmounted.
 */
export async function findChanges(overlay: Overlay, signal: AbortSignal): Promise<Changes> {
  const written = await overlay.writtenExtents();
  if (written.length === 0) return { blockIndexes: [], written: [], discarded: [], whole: new Set() };
  return planChanges(written, await freeSpace(overlay, written, signal));
}

/** Pure. */
export function planChanges(written: readonly Extent[], free: readonly Extent[]): Changes {
  const inUse = subtractExtents(written, free);
  const blockIndexes = blocksOf(inUse, SNAPSHOT_BLOCK_BYTES);
  const changed = joinExtents(blockIndexes.map(extentOf));
  const ofBase = new Set(blocksOf(subtractExtents(subtractExtents(changed, inUse), free), SNAPSHOT_BLOCK_BYTES));
  return {
    blockIndexes,
    written: inUse,
    discarded: intersectExtents(written, free),
    whole: new Set(blockIndexes.filter((index) => !ofBase.has(index))),
  };
}

/**
 * Reads a block that changed as it is to be kept. What was written and deleted again is zero: nobody needs it, and it may
 * be a secret.
 *
 * @param target `SNAPSHOT_BLOCK_BYTES` long.
 */
export async function readChangedBlock(
  overlay: Pick<Overlay, "read">,
  changes: Changes,
  blockIndex: number,
  target: Uint8Array,
): Promise<void> {
  const block = extentOf(blockIndex);
  const piece = ({ startBytes, endBytes }: Extent) =>
    target.subarray(startBytes - block.startBytes, endBytes - block.startBytes);
  if (changes.whole.has(blockIndex)) {
    target.fill(0);
    for (const extent of clipExtents(changes.written, block)) await overlay.read(extent.startBytes, piece(extent));
  } else {
    await overlay.read(block.startBytes, target);
    for (const extent of clipExtents(changes.discarded, block)) piece(extent).fill(0);
  }
}

function extentOf(blockIndex: number): Extent {
  const startBytes = blockIndex * SNAPSHOT_BLOCK_BYTES;
  return { startBytes, endBytes: startBytes + SNAPSHOT_BLOCK_BYTES };
}

/** The free space of all file systems that were written to, in bytes of the disk, ascending. */
async function freeSpace(overlay: Overlay, written: readonly Extent[], signal: AbortSignal): Promise<Extent[]> {
  await using device = await overlay.attach();
  const partitions = await listPartitions(device.devicePath, signal);
  // Awaited here: the device is there only until then.
  if (partitions.length === 0) return await freeExtents(device.devicePath, signal);
  const free: Extent[] = [];
  for (const { number, startBytes, sizeBytes } of partitions.toSorted((a, b) => a.startBytes - b.startBytes)) {
    const place = { startBytes, endBytes: startBytes + sizeBytes };
    if (intersectExtents(written, [place]).length === 0) continue;
    const found = await freeExtents(`${device.devicePath}p${number}` as DevicePath, signal);
    const onDisk = found.map((extent) => ({
      startBytes: extent.startBytes + startBytes,
      endBytes: extent.endBytes + startBytes,
    }));
    free.push(...intersectExtents(onDisk, [place]));
  }
  return free;
}
