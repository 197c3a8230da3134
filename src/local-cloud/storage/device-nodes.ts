import { lstat, readlink, rm, rmdir, symlink } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { systemCode } from "../../base/errors.ts";
import { type DeviceNumber, deviceNumberOf } from "../../linux/devices/device-number.ts";
import type { HeldFiles } from "../../linux/devices/loop-device.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { runCommand } from "../../linux/run-command.ts";
import { DeviceNodeExistsError } from "./disk-storage.ts";

/** A block device node that an attachment made. */
export interface DeviceNode {
  readonly path: string;
  readonly deviceNumber: DeviceNumber;
}

/** A symlink to such a node. */
export interface DeviceLink {
  readonly path: string;
  /** The node's path. */
  readonly target: string;
}

/** @throws {DeviceNodeExistsError} if the name is taken. */
export async function makeDeviceNode({ path, deviceNumber }: DeviceNode, held: HeldFiles): Promise<void> {
  const [major = "", minor = ""] = deviceNumber.split(":");
  try {
    await runCommand(["mknod", "--mode=0660", path, "b", major, minor], held);
  } catch (cause) {
    // mknod(2) itself refuses a name that exists, so nobody can come between a look and the making.
    if (await exists(path)) throw new DeviceNodeExistsError(path, { cause });
    throw cause;
  }
}

/** Removes a node, if the name still leads to what was recorded: it may have become somebody else's. */
export async function removeDeviceNode(node: DeviceNode): Promise<void> {
  if (await isOurNode(node)) await rm(node.path, { force: true });
}

export async function isOurNode({ path, deviceNumber }: DeviceNode): Promise<boolean> {
  const status = await statusOf(path);
  return status?.isBlockDevice() === true && deviceNumberOf(status.rdev) === deviceNumber;
}

const LINK_ATTEMPTS_MAX = 100;

/** @throws {DeviceNodeExistsError} if the name is taken. */
export async function makeDeviceLink({ path, target }: DeviceLink): Promise<void> {
  const directory = dirname(path);
  for (let attempt = 1; ; attempt++) {
    try {
      await makeDirectories(directory);
      return await symlink(relative(directory, target), path);
    } catch (error) {
      if (systemCode(error) === "EEXIST") throw new DeviceNodeExistsError(path, { cause: error });
      // ENOENT: another store removed the directory as it was empty.
      if (systemCode(error) !== "ENOENT" || attempt === LINK_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Removes a link, if it still leads where it was made to, and directories that are then empty. */
export async function removeDeviceLink(link: DeviceLink, deviceDirectory: string): Promise<void> {
  if (await isOurLink(link)) await rm(link.path, { force: true });
  for (let directory = dirname(link.path); directory !== deviceDirectory; directory = dirname(directory)) {
    try {
      await rmdir(directory);
    } catch {
      // It holds other links, or is gone.
      return;
    }
  }
}

export async function isOurLink({ path, target }: DeviceLink): Promise<boolean> {
  try {
    return (await readlink(path)) === relative(dirname(path), target);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "EINVAL") return false;
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await statusOf(path)) !== undefined;
}

async function statusOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
