import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";

/** A disk that never changes, of blocks of `SNAPSHOT_BLOCK_BYTES`. */
export interface NbdExport {
  readonly sizeBytes: number;
  /** Whether the block may be anything but zero. */
  isAllocated(blockIndex: number): boolean;
  /** @returns undefined if all of the block is zero. The bytes are not the caller's to change. */
  readBlock(blockIndex: number): Promise<Uint8Array | undefined>;
}

/** A part of a request: a hole, which may be long, or data of one block. */
export interface Piece {
  readonly offsetBytes: number;
  readonly byteCount: number;
  /** Missing for a hole. */
  readonly blockIndex?: number;
}

/** Cuts a range of a disk into its holes and parts of blocks, ascending. */
export function piecesOf(disk: NbdExport, offsetBytes: number, byteCount: number): Piece[] {
  const pieces: Piece[] = [];
  for (const { startBytes, endBytes, isHole } of extentsOf(disk, offsetBytes, byteCount)) {
    if (isHole) {
      pieces.push({ offsetBytes: startBytes, byteCount: endBytes - startBytes });
      continue;
    }
    for (let start = startBytes; start < endBytes; ) {
      const blockIndex = Math.floor(start / SNAPSHOT_BLOCK_BYTES);
      const end = Math.min(endBytes, (blockIndex + 1) * SNAPSHOT_BLOCK_BYTES);
      pieces.push({ offsetBytes: start, byteCount: end - start, blockIndex });
      start = end;
    }
  }
  return pieces;
}

export interface DiskExtent {
  readonly startBytes: number;
  readonly endBytes: number;
  readonly isHole: boolean;
}

/** What a range consists of: data and holes by turns, ascending, the first and the last cut off where the range ends. */
export function* extentsOf(disk: NbdExport, offsetBytes: number, byteCount: number): Generator<DiskExtent> {
  const rangeEndBytes = offsetBytes + byteCount;
  for (let startBytes = offsetBytes; startBytes < rangeEndBytes; ) {
    const firstBlock = Math.floor(startBytes / SNAPSHOT_BLOCK_BYTES);
    const isAllocated = disk.isAllocated(firstBlock);
    let endBytes = startBytes;
    for (let block = firstBlock; endBytes < rangeEndBytes && disk.isAllocated(block) === isAllocated; block++) {
      endBytes = Math.min(rangeEndBytes, (block + 1) * SNAPSHOT_BLOCK_BYTES);
    }
    yield { startBytes, endBytes, isHole: !isAllocated };
    startBytes = endBytes;
  }
}
