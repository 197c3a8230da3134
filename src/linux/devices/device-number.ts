import { readFile } from "node:fs/promises";

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
