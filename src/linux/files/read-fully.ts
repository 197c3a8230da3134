import type { FileHandle } from "node:fs/promises";

/**
 * Fills `target` with the bytes of a file from an offset on; zeros follow the file's end.
 *
 * One read(2) may give less than it was asked for, and then not because the file ends: of a file behind FUSE, the
 * kernel gives what came before the first error, and tells the error only to who asks for the rest.
 */
export async function readFully(
  file: Pick<FileHandle, "read">,
  target: Uint8Array,
  offsetBytes: number,
): Promise<void> {
  let length = 0;
  while (length < target.length) {
    const { bytesRead } = await file.read(target, length, target.length - length, offsetBytes + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  target.fill(0, length);
}
