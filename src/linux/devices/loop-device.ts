import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemCode, ToolError } from "../../base/errors.ts";
import { type CommandOptions, runCommand } from "../run-command.ts";

/**
 * What a command that changes the host's devices is given to hold while it runs. It outlives us when we are killed;
 * with the lock that guards those devices among its files, nobody comes in before it has ended.
 */
export type HeldFiles = Pick<CommandOptions, "extraFds">;

/**
 * Presents a file as a block device.
 *
 * The caller detaches it. Its partitions are not looked for: see `addPartitions`.
 *
 * @returns the path of the device, "/dev/loop3".
 */
export async function attachLoopDevice(backingFile: string, held: HeldFiles = {}): Promise<string> {
  // losetup itself tries again when another process takes the free device first. Direct I/O stays off, so
  // that whoever reads the file sees what was written to the device.
  const { stdout } = await runCommand(["losetup", "--find", "--show", "--", backingFile], held);
  return stdout.toString().trim();
}

export interface LoopDevice {
  /** "/dev/loop3" */
  readonly devicePath: string;
  /** As the kernel tells it: with " (deleted)" at its end if the file is gone. */
  readonly backingFile: string;
}

/** All loop devices of this host that have a file. */
export async function listLoopDevices(): Promise<LoopDevice[]> {
  const names = (await readdir("/sys/block")).filter((name) => name.startsWith("loop"));
  const devices = await Promise.all(
    names.map(async (name) => ({ devicePath: `/dev/${name}`, backingFile: await backingFileOf(`/dev/${name}`) })),
  );
  return devices.filter((device): device is LoopDevice => device.backingFile !== undefined);
}

/**
 * The loop devices of a file.
 *
 * @param backingFile its real path. It need not exist any more.
 */
export async function findLoopDevices(backingFile: string): Promise<string[]> {
  const isOfFile = (device: LoopDevice) => [backingFile, `${backingFile} (deleted)`].includes(device.backingFile);
  return (await listLoopDevices()).filter(isOfFile).map(({ devicePath }) => devicePath);
}

/** The file behind a loop device, or undefined if it has none. */
export async function backingFileOf(devicePath: string): Promise<string | undefined> {
  try {
    const text = await readFile(`/sys/block/${basename(devicePath)}/loop/backing_file`, "utf8");
    return text.replace(/\n$/, "");
  } catch (error) {
    // The directory is there only while there is a file. ENODEV: it went between the opening and the reading.
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENODEV") return undefined;
    throw error;
  }
}

/**
 * Opens a device for exclusive use: while it is open nobody can mount it or one of its partitions.
 *
 * @returns undefined if it or one of its partitions is mounted, in any mount namespace, or claimed for something else
 *   (swap, LVM, mkfs).
 */
export async function claimBlockDevice(devicePath: string): Promise<FileHandle | undefined> {
  try {
    // On a block device O_EXCL without O_CREAT is the kernel's own exclusive claim (open(2)).
    return await open(devicePath, constants.O_RDWR | constants.O_EXCL);
  } catch (error) {
    if (systemCode(error) === "EBUSY") return undefined;
    throw error;
  }
}

const DETACH_DEADLINE_MS = 5_000;
const DETACH_LOOK_MS = 5;

/**
 * Takes the file from a loop device and makes sure that it is gone. A device without a file is success.
 *
 * @throws {ToolError} ERR_LOOP_BUSY if somebody still has it open. The kernel then detaches it at the last close.
 */
export async function detachLoopDevice(
  devicePath: string,
  { claim, ...held }: HeldFiles & { readonly claim?: FileHandle } = {},
): Promise<void> {
  const backingFile = await backingFileOf(devicePath);
  if (backingFile === undefined) {
    await claim?.close();
    return;
  }
  try {
    await runCommand(["losetup", "--detach", devicePath], held);
  } finally {
    // LOOP_CLR_FD on a device that is open only marks it: it goes with the last close, which is this one if nobody
    // else has it. So nobody can slip in between the claim and the end.
    await claim?.close();
  }
  const start = performance.now();
  while ((await backingFileOf(devicePath)) === backingFile) {
    if (performance.now() - start > DETACH_DEADLINE_MS) {
      throw new ToolError("ERR_LOOP_BUSY", `Cannot detach "${devicePath}" from "${backingFile}": it is still open`, {
        hint: `Look who has it open: fuser --verbose ${devicePath}`,
        fault: "host",
      });
    }
    await delay(DETACH_LOOK_MS);
  }
}
