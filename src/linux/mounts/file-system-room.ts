import { statfs } from "node:fs/promises";
import { formatBytes, MIB } from "../../base/units.ts";

// What is left then is no use to any program.
const NEARLY_FULL_BYTES = MIB / 4;

/** The volume alone is no help: the file system on it stays as large as it is until something grows it. */
export const ROOM_HINT =
  "Make room in an earlier provisioner, or raise root_volume_size and grow partition and file system there (growpart, resize2fs)";

/** Says that the file system of `path` is full, and how large it is. `undefined` if there is room. */
export async function fullFileSystem(path: string): Promise<string | undefined> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(path);
  if (bavail * bsize < NEARLY_FULL_BYTES) return `full: it has ${formatBytes(blocks * bsize)}`;
  // 0 of 0: a file system that counts no inodes.
  return files > 0 && ffree === 0 ? `full: all of its ${files} inodes are in use` : undefined;
}
