import type { FileHandle } from "node:fs/promises";
import { constants } from "node:os";

/** Bytes of a file from `startBytes` up to, not including, `endBytes`. */
export interface Extent {
  readonly startBytes: number;
  readonly endBytes: number;
}

// lseek(2)
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** @returns -1 if it failed. */
type Lseek = (fd: number, offsetBytes: number, whence: number) => number;

let loading: Promise<{ lseek: Lseek; errno: () => number }> | undefined;

/**
 * Where a sparse file has data. The rest reads as zero; reading it anyway takes seconds for each GiB.
 *
 * The granularity is the file system's, usually 4 KiB. Moves the file's offset.
 *
 * @returns extents in ascending order that do not touch. Of a file system that cannot tell: one, the whole file.
 */
export async function dataExtents(file: FileHandle): Promise<Extent[]> {
  loading ??= loadLseek();
  const { lseek, errno } = await loading;
  const { size } = await file.stat();
  const extents: Extent[] = [];
  for (let offsetBytes = 0; offsetBytes < size; ) {
    const startBytes = seek(lseek, errno, file.fd, offsetBytes, SEEK_DATA);
    if (startBytes === undefined) break;
    const endBytes = seek(lseek, errno, file.fd, startBytes, SEEK_HOLE) ?? size;
    extents.push({ startBytes, endBytes });
    offsetBytes = endBytes;
  }
  return extents;
}

function seek(lseek: Lseek, errno: () => number, fd: number, offset: number, whence: number): number | undefined {
  const found = lseek(fd, offset, whence);
  if (found >= 0) return found;
  const code = errno();
  // No data from here on.
  if (code === constants.errno.ENXIO) return undefined;
  throw new Error(`Cannot find data in a sparse file: lseek(2) sets errno to ${code}`);
}

async function loadLseek(): Promise<{ lseek: Lseek; errno: () => number }> {
  // Loaded when first needed: a native module, and most commands do without.
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const lseek: Lseek = libc.func("int64_t lseek(int fd, int64_t offset, int whence)");
  return { lseek, errno: () => koffi.errno() };
}

/** The indexes of all blocks that have data, ascending. The blocks of a file are `blockBytes` long and start at 0. */
export function blocksOf(extents: readonly Extent[], blockBytes: number): number[] {
  return [...eachBlockOf(extents, blockBytes)];
}

/** The same, one by one: of a large disk there are millions. */
export function* eachBlockOf(extents: readonly Extent[], blockBytes: number): Generator<number, void> {
  let next = 0;
  for (const { startBytes, endBytes } of extents) {
    // Two extents may share a block.
    const first = Math.max(Math.floor(startBytes / blockBytes), next);
    const last = Math.floor((endBytes - 1) / blockBytes);
    for (let index = first; index <= last; index++) yield index;
    next = Math.max(next, last + 1);
  }
}
