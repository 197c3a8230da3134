import { mkdir, mkdtemp, open, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { messageOf, systemCode } from "../../src/base/errors.ts";
import { runCommand } from "../../src/linux/run-command.ts";

export interface Directory extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryDirectory(): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), "amibake-full-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** @param size of a tmpfs, as its option is: "1m", "64k,nr_inodes=9". */
export async function smallFileSystem(path: string, size: string): Promise<Directory> {
  await using undo = new AsyncDisposableStack();
  await mkdir(path);
  await runCommand(["mount", "-t", "tmpfs", "-o", `size=${size},mode=700`, "tmpfs", path]);
  undo.defer(() => unmount(path));
  const owned = undo.move();
  return { path, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** A file system in a file of the size, as mke2fs makes and the kernel mounts it: "ext2" and the like. */
export async function fileSystemIn(path: string, type: string, sizeBytes: number): Promise<Directory> {
  await using undo = new AsyncDisposableStack();
  const file = `${path}.raw`;
  await writeFile(file, "");
  undo.defer(() => rm(file));
  await truncate(file, sizeBytes);
  await runCommand(["mke2fs", "-q", "-t", type, file]);
  await mkdir(path);
  await runCommand(["mount", "-t", type, "-o", "loop", file, path]);
  undo.defer(() => unmount(path));
  const owned = undo.move();
  return { path, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

// A daemon whose last client has gone has files open there until it has ended.
const BUSY_MS_MAX = 10_000;

async function unmount(path: string): Promise<void> {
  const deadline = performance.now() + BUSY_MS_MAX;
  for (;;) {
    try {
      await runCommand(["umount", path]);
      return;
    } catch (error) {
      if (!messageOf(error).includes("busy") || performance.now() > deadline) throw error;
      await delay(50);
    }
  }
}

export async function freeBytes(path: string): Promise<number> {
  const { bfree, bsize } = await statfs(path);
  return bfree * bsize;
}

/** Fills a file system to its last byte, or nearly so, by a file "filler" in the directory. */
export async function fillDirectory(directory: string, { leaveBytes = 0 } = {}): Promise<void> {
  await using file = await open(join(directory, "filler"), "w");
  const piece = Buffer.alloc(65_536);
  try {
    while (leaveBytes === 0 || (await freeBytes(directory)) > leaveBytes) await file.write(piece);
  } catch (error) {
    if (systemCode(error) !== "ENOSPC") throw error;
  }
}
