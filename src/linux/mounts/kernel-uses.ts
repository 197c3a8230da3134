// What keeps a file system busy without any process: files of it that the kernel itself uses for somebody.

import type { Sandbox } from "../sandbox/sandbox.ts";
import type { MountEntry } from "./mount-table.ts";
import { unescapeOctal } from "./mount-table.ts";

/**
 * Detaches the loop devices and turns off the swap files whose file is on a mounted file system. A provisioner left
 * them: nobody else can reach a file that is mounted in the sandbox.
 *
 * @returns what was ended, for people.
 */
export async function endKernelUses(sandbox: Sandbox, mounted: MountEntry): Promise<string[]> {
  const ended: string[] = [];
  for (const { device, file } of await loopDevicesOn(sandbox, mounted)) {
    const { exitCode } = await sandbox.runToExit(["losetup", "--detach", device]);
    if (exitCode === 0) ended.push(`loop device ${device} of ${file}`);
  }
  for (const file of await swapFilesBelow(sandbox, mounted)) {
    const { exitCode } = await sandbox.runToExit(["swapoff", file]);
    if (exitCode === 0) ended.push(`swap file ${file}`);
  }
  return ended;
}

interface LoopDeviceList {
  readonly loopdevices?: readonly { name: string; "back-file": string; "back-maj:min": string }[];
}

async function loopDevicesOn(sandbox: Sandbox, { deviceNumber }: MountEntry) {
  const argv = ["losetup", "--list", "--json", "--output", "NAME,BACK-MAJ:MIN,BACK-FILE"];
  const text = (await sandbox.runToExit(argv)).stdout.toString();
  // It prints nothing at all if there is none.
  const { loopdevices = [] } = (text.trim() === "" ? {} : JSON.parse(text)) as LoopDeviceList;
  const onIt = loopdevices.filter((device) => device["back-maj:min"].trim() === deviceNumber);
  return onIt.map((device) => ({ device: device.name, file: device["back-file"] }));
}

async function swapFilesBelow(sandbox: Sandbox, { mountpoint }: MountEntry): Promise<string[]> {
  // Read inside: its paths are those of who reads it.
  const { stdout } = await sandbox.runToExit(["cat", "/proc/swaps"]);
  const paths = stdout
    .toString()
    .split("\n")
    .map((line) => unescapeOctal(line.split(/\s/)[0] ?? ""));
  return paths.filter((path) => path.startsWith(`${mountpoint}/`));
}
