import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../base/errors.ts";

// fcntl.h: __O_TMPFILE, which Node does not name, and O_DIRECTORY, which differs between architectures.
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/**
 * Makes an empty file without a name, open for reading and writing: the kernel removes it when nobody has it open any
 * more. Commands get it by its descriptor, and open it again as /proc/self/fd/N.
 */
export async function openNamelessFile(directory: string): Promise<FileHandle> {
  try {
    return await open(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    // What a file system says that has no such files, and what a kernel says of some network file systems.
    if (!["EOPNOTSUPP", "ENOTSUP", "EISDIR", "EINVAL"].includes(systemCode(error) ?? "")) throw error;
  }
  const path = join(directory, `.amibake-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  await rm(path);
  return file;
}
