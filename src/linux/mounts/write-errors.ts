// A file system can lose what was written to it: the disk under it is full or broken, and whoever wrote has long been
// told that all is well. umount(2) succeeds all the same, so it is asked for before and after.
import { open, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { ToolError } from "../../base/errors.ts";
import { countOf } from "../../base/units.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { MountEntry } from "./mount-table.ts";

/**
 * How many errors ext4 has met, over all mounts.
 *
 * @returns 0 for another file system.
 */
export async function ext4ErrorCount(devicePath: string): Promise<number> {
  const text = await readFile(`/sys/fs/ext4/${basename(devicePath)}/errors_count`, "utf8").catch(() => "0");
  return Number(text);
}

/**
 * Writes out a mounted file system.
 *
 * @param errorCountBefore of `ext4ErrorCount`, when it was mounted.
 * @throws {ToolError} ERR_LOST_WRITES if anything written to it is lost.
 */
export async function flushFileSystem(
  sandbox: Sandbox,
  root: MountEntry,
  { devicePath, errorCountBefore }: { devicePath: string; errorCountBefore: number },
): Promise<void> {
  try {
    // syncfs(2) tells of every write that failed and nobody has been told of.
    await sandbox.run(["sync", "--file-system", "--", root.mountpoint]);
  } catch (cause) {
    throw lostWrites(devicePath, NOT_TAKEN, cause);
  }
  const mounted = (await sandbox.mountTable()).find(({ mountId }) => mountId === root.mountId);
  const isStopped = (mounted?.superOptions ?? []).some((option) => option === "emergency_ro" || option === "shutdown");
  if (isStopped) throw lostWrites(devicePath, `${root.fileSystemType} has stopped writing after an error`);
  const errorCount = (await ext4ErrorCount(devicePath)) - errorCountBefore;
  if (errorCount > 0) throw lostWrites(devicePath, `${root.fileSystemType} met ${countOf(errorCount, "error")}`);
}

/**
 * Writes out a device whose file system is unmounted: the last that is written to it is the unmount's.
 *
 * @throws {ToolError} ERR_LOST_WRITES
 */
export async function flushDevice(devicePath: string): Promise<void> {
  try {
    await using device = await open(devicePath, "r");
    await device.sync();
  } catch (cause) {
    throw lostWrites(devicePath, NOT_TAKEN, cause);
  }
}

const NOT_TAKEN = "its disk did not take all of it";

function lostWrites(devicePath: string, detail: string, cause?: unknown): ToolError {
  return new ToolError("ERR_LOST_WRITES", `Cannot keep what was written to "${devicePath}": ${detail}`, {
    cause,
    hint: "The disk failed, or on the local cloud the store's file system is full (df): see dmesg",
  });
}
