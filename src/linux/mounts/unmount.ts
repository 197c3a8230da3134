import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../../base/errors.ts";
import { shortList } from "../../base/short-list.ts";
import { findDeviceHolders } from "../devices/device-holders.ts";
import { claimBlockDevice } from "../devices/loop-device.ts";
import { CommandError } from "../run-command.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { endKernelUses } from "./kernel-uses.ts";
import type { WrapCommand } from "./mount.ts";
import { type MountEntry, mountsAtOrBelow } from "./mount-table.ts";
import { unmountOrder } from "./unmount-order.ts";

export interface UnmountOptions {
  /** Below it, everything is unmounted too, whoever mounted it. */
  readonly root: MountEntry;
  readonly wrap: WrapCommand;
  /** The mounts of the build itself, root and all. The others are a provisioner's; missing where none has run. */
  readonly own?: readonly MountEntry[] | undefined;
  /** Told of what a provisioner had left mounted, or in use by the kernel, and is not any more. */
  readonly tell: (text: string) => void;
}

// A process that was just killed may keep its files for some milliseconds more.
const BUSY_RETRIES_MAX = 20;
const BUSY_RETRY_MS = 100;

/**
 * Unmounts in the sandbox, never lazily: when this returns, everything is on the disk and nobody has it mounted.
 *
 * It takes no signal: it has to finish although the build was cancelled.
 *
 * @throws {ToolError} naming who holds the first file system that stays busy.
 */
export async function unmountTree(sandbox: Sandbox, { root, wrap, own, tell }: UnmountOptions): Promise<void> {
  const mounted = async () => unmountOrder(mountsAtOrBelow(await sandbox.mountTable(), root.mountpoint));
  const all = await mounted();
  if (!all.some(({ mountId }) => mountId === root.mountId)) {
    throw new ToolError("ERR_UNMOUNT_FAILED", `Cannot unmount "${root.mountpoint}": it was unmounted during the build`);
  }
  try {
    await sandbox.run(wrap(["umount", ...all.map(({ mountpoint }) => mountpoint)]));
  } catch {
    // One of them is busy. Now one by one, so that it can be told which, and why.
    for (let next = await mounted(); next[0] !== undefined; next = await mounted()) {
      await unmountOne(sandbox, next[0], { wrap, tell });
    }
  }
  const foreign = own === undefined ? [] : all.filter((entry) => !own.some((ours) => isSameMount(ours, entry)));
  if (foreign.length > 0) tell(`Unmounted what a provisioner had mounted: ${describeMounts(foreign, root)}`);
  await waitUntilFree(root);
}

/** Numbers are given again, and a mount can be moved. */
function isSameMount(one: MountEntry, other: MountEntry): boolean {
  return one.mountId === other.mountId && one.mountpoint === other.mountpoint && one.source === other.source;
}

/** `/mnt/x (tmpfs); /opt/proc (proc)`: paths are those of the image. */
function describeMounts(entries: readonly MountEntry[], root: MountEntry): string {
  const inImage = (path: string) => path.slice(root.mountpoint.length) || "/";
  return shortList(entries.map(({ mountpoint, fileSystemType }) => `${inImage(mountpoint)} (${fileSystemType})`));
}

async function unmountOne(
  sandbox: Sandbox,
  entry: MountEntry,
  { wrap, tell }: Pick<UnmountOptions, "wrap" | "tell">,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sandbox.run(wrap(["umount", entry.mountpoint]));
      return;
    } catch (cause) {
      if (!isBusy(cause) || attempt > BUSY_RETRIES_MAX) throw await unmountFailure(entry, cause);
      const freed = await endKernelUses(sandbox, entry);
      if (freed.length > 0) tell(`Ended what was left in use in the image: ${freed.join("; ")}`);
      else await delay(BUSY_RETRY_MS);
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof CommandError && /busy/.test(error.stderrTail);
}

/** A mount namespace of which a file is kept has the file system mounted too, with no process in it. */
async function waitUntilFree(root: MountEntry): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (await isFree(root.source)) return;
    if (attempt > BUSY_RETRIES_MAX) throw await unmountFailure(root, undefined);
    await delay(BUSY_RETRY_MS);
  }
}

async function isFree(devicePath: string): Promise<boolean> {
  // A mount_command may have mounted what is no device of its own.
  if (!devicePath.startsWith("/dev/")) return true;
  const claim = await claimBlockDevice(devicePath);
  await claim?.close();
  return claim !== undefined;
}

async function unmountFailure({ mountpoint, deviceNumber }: MountEntry, cause: unknown): Promise<ToolError> {
  const holders = await findDeviceHolders(deviceNumber);
  const who = holders.length === 0 ? "" : `; in use by ${holders.join("; ")}`;
  return new ToolError("ERR_UNMOUNT_FAILED", `Cannot unmount "${mountpoint}"${who}`, { cause });
}
