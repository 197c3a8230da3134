import { link, open, rename, rm } from "node:fs/promises";
import { systemCode } from "../../base/errors.ts";

/**
 * Renames a file within its file system, and replaces nothing, as rename(2) would: not what came there a moment ago,
 * and no link either. If the process dies in the middle, the file may have both names.
 *
 * @throws the system's error: EEXIST if there is something; the file has its old name then.
 */
export async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!WITHOUT_LINKS.has(systemCode(error) ?? "")) throw error;
    await replacePlaceholder(from, to);
    return;
  }
  await rm(from);
}

// What link(2) says where a file system has no such links: FAT, some network file systems, many behind FUSE.
const WITHOUT_LINKS: ReadonlySet<string> = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"]);

/** Takes the name first, by an empty file: only one can make it. */
async function replacePlaceholder(from: string, to: string): Promise<void> {
  await (await open(to, "wx")).close();
  try {
    await rename(from, to);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}
