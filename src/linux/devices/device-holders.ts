import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { parseMountTable } from "../mounts/mount-table.ts";
import { type DeviceNumber, deviceNumberOf } from "./device-number.ts";

/**
 * Who keeps a file system from being unmounted: processes with a file, directory
 * or root on it, and other mount namespaces that have it mounted.
 *
 * @param deviceNumber "259:3", as in mountinfo.
 * @returns one line each for people, e.g. `process 812 (nginx -g daemon): cwd`. Empty if none is found.
 */
export async function findDeviceHolders(deviceNumber: string): Promise<string[]> {
  const namespaces = new Map<string, string>();
  const holders: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const uses = await usesOfDevice(pid, deviceNumber);
    const name = await commandLineOf(pid);
    if (uses.length > 0) holders.push(`process ${pid} (${name}): ${uses.join(", ")}`);
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined);
    if (namespace !== undefined && !namespaces.has(namespace)) namespaces.set(namespace, pid);
  }
  for (const [namespace, pid] of namespaces) {
    const table = parseMountTable(await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => ""));
    const mounts = table.filter((entry) => entry.deviceNumber === deviceNumber).map(({ mountpoint }) => mountpoint);
    if (mounts.length > 0) holders.push(`mounted on ${mounts.join(", ")} in ${namespace} (process ${pid})`);
  }
  return holders;
}

async function usesOfDevice(pid: string, deviceNumber: DeviceNumber): Promise<string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = ["root", "cwd", "exe", ...descriptors.map((descriptor) => `fd/${descriptor}`)];
  const uses: string[] = [];
  for (const link of links) {
    // Whatever cannot be looked at has ended meanwhile.
    const status = await stat(`/proc/${pid}/${link}`).catch(() => undefined);
    if (status !== undefined && deviceNumberOf(status.dev) === deviceNumber) uses.push(link);
  }
  if (uses.length === 0 && (await hasMapped(pid, deviceNumber))) uses.push("a mapped file");
  return uses;
}

/** A file can be closed and stay mapped. proc(5), /proc/pid/maps: the device is the fourth field, in hexadecimal. */
async function hasMapped(pid: string, deviceNumber: DeviceNumber): Promise<boolean> {
  const [major = 0, minor = 0] = deviceNumber.split(":").map(Number);
  const hex = (number: number): string => number.toString(16).padStart(2, "0");
  const text = await readFile(`/proc/${pid}/maps`, "utf8").catch(() => "");
  return text.includes(` ${hex(major)}:${hex(minor)} `);
}

/** What a process was started as, for people: at most 80 characters. */
export async function commandLineOf(pid: string | number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.replaceAll("\0", " ").trim().slice(0, 80) || "kernel thread";
}
