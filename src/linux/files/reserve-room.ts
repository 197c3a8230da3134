import type { FileHandle } from "node:fs/promises";

// linux/falloc.h: the file keeps its size.
const FALLOC_FL_KEEP_SIZE = 1;

/** @returns 0, or -1 if it failed. */
type Fallocate = (fd: number, mode: number, offset: number, length: number) => number;

let loading: Promise<Fallocate> | undefined;

/**
 * Takes disk space for bytes that will be written to a file later: that then succeeds also on a full disk.
 *
 * @returns false if there is none, or the file system cannot promise any.
 */
export async function reserveRoom(file: FileHandle, startBytes: number, byteCount: number): Promise<boolean> {
  loading ??= loadFallocate();
  const fallocate = await loading;
  return fallocate(file.fd, FALLOC_FL_KEEP_SIZE, startBytes, byteCount) === 0;
}

async function loadFallocate(): Promise<Fallocate> {
  const { default: koffi } = await import("koffi");
  return koffi.load(null).func("int fallocate(int fd, int mode, int64_t offset, int64_t length)");
}
