import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file so that readers, and whoever comes after a crash, find the old or the new content, never a part.
 * It is on disk when this resolves.
 *
 * Calls for one path may not overlap.
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporaryPath = `${path}.new`;
  try {
    await using file = await open(temporaryPath, "w", mode);
    await file.writeFile(content);
    await file.datasync();
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  await rename(temporaryPath, path);
  await syncDirectory(dirname(path));
}

/** Makes new, renamed and removed names of a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
