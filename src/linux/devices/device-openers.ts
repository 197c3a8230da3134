import { readdirSync, readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";
import { type DeviceNumber, deviceNumberOf } from "./device-number.ts";

/**
 * Processes that have one of these block devices open, mounts aside. This process is not among them.
 *
 * The kernel does not count openers where one could see it, so each process is looked at. An open file is
 * recognized by the last part of its path first: only what has the right name is asked for its number, because asking
 * an arbitrary file may wait for a network or a FUSE server.
 *
 * @param names last parts of the paths that lead to the devices: "xvdf", "loop0".
 */
export function findDeviceOpeners(deviceNumbers: ReadonlySet<DeviceNumber>, names: ReadonlySet<string>): number[] {
  // Synchronous: a few thousand short calls cost 10 ms here, and 20 times that through the thread pool.
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.filter((pid) => hasOpen(pid, deviceNumbers, names)).map(Number);
}

function hasOpen(pid: string, deviceNumbers: ReadonlySet<DeviceNumber>, names: ReadonlySet<string>): boolean {
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`);
    return descriptors.some((descriptor) => isDevice(`/proc/${pid}/fd/${descriptor}`, deviceNumbers, names));
  } catch {
    // It ended meanwhile.
    return false;
  }
}

function isDevice(link: string, deviceNumbers: ReadonlySet<DeviceNumber>, names: ReadonlySet<string>): boolean {
  try {
    if (!names.has(basename(readlinkSync(link).replace(/ \(deleted\)$/, "")))) return false;
    const status = statSync(link);
    return status.isBlockDevice() && deviceNumbers.has(deviceNumberOf(status.rdev));
  } catch {
    // It was closed meanwhile.
    return false;
  }
}
