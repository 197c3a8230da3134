import { readFile, stat } from "node:fs/promises";
import { systemCode } from "../base/errors.ts";

/** "259:3", as in sysfs and mountinfo. */
export type DeviceNumber = string;

/** The number in `st_dev` or `st_rdev` of a file status: gnu_dev_makedev(3) interleaves major and minor. */
export function deviceNumberOf(encoded: number): DeviceNumber {
  const bits = BigInt(encoded);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn);
  const minor = (bits & 0xffn) | ((bits >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

/** The number of a disk or partition by the kernel's name for it, "loop0p1". */
export async function readDeviceNumber(kernelName: string): Promise<DeviceNumber> {
  return (await readFile(`/sys/class/block/${kernelName}/dev`, "utf8")).trim();
}

/** The number of the block device that a path leads to, or undefined if it leads to none. */
export async function blockDeviceNumberAt(path: string): Promise<DeviceNumber | undefined> {
  try {
    const status = await stat(path);
    return status.isBlockDevice() ? deviceNumberOf(status.rdev) : undefined;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
