import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Whose a file is. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes a file so that readers, and whoever comes after a crash, find the old or the new content, never a part.
 * It is on disk when this resolves.
 *
 * Calls for one path may not overlap.
 *
 * @param mode less what the umask forbids, unless an owner is given.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  owner?: FileOwner,
): Promise<void> {
  const temporaryPath = unfinishedPath(path);
  try {
    await using file = await open(temporaryPath, "w", mode);
    if (owner !== undefined) {
      await file.chown(owner.uid, owner.gid);
      await file.chmod(mode);
    }
    await file.writeFile(content);
    await file.datasync();
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  await rename(temporaryPath, path);
  await syncDirectory(dirname(path));
}

/** What a crash in mid-write may leave beside a file. */
export function unfinishedPath(path: string): string {
  return `${path}.new`;
}

/** Makes new, renamed and removed names of a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
