import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { systemCode } from "../../base/errors.ts";

/** What tells a process from a later one with the same number, within one boot of the host. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In the kernel's clock ticks since the boot: field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
}

/** What the kernel calls this boot of the host. */
export async function currentBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

/** What this installation calls itself, whatever its host name. Missing in most containers. */
export async function machineId(): Promise<string | undefined> {
  const text = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return /^[0-9a-f]{32}$/.exec(text.trim())?.[0];
}

/** What tells a host from others, as far as it can be told. */
export interface HostIdentity {
  /** Its name. */
  readonly host: string;
  readonly machineId?: string | undefined;
  readonly bootId: string;
}

export async function identifyHost(): Promise<HostIdentity> {
  return { host: hostname(), machineId: await machineId(), bootId: await currentBootId() };
}

/** A lock says nothing across hosts that share a directory, nor does one of another boot of another host. */
export async function isThisHost(other: HostIdentity): Promise<boolean> {
  const { host, machineId, bootId } = await identifyHost();
  return other.host === host || (machineId !== undefined && other.machineId === machineId) || other.bootId === bootId;
}

/** @returns undefined if there is no such process, or if it has ended and nobody has looked yet. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = (await readFields(pid))?.[22];
  return startTime === undefined ? undefined : { pid, startTime };
}

/** @returns undefined as `identifyProcess` does. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const parent = (await readFields(pid))?.[4];
  return parent === undefined ? undefined : Number(parent);
}

/** The fields of /proc/<pid>/stat under the numbers that proc(5) gives them, from 3 on. */
async function readFields(pid: number): Promise<string[] | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // After the name, which may hold anything.
    const fields = ["", "", "", ...stat.slice(stat.lastIndexOf(")") + 2).split(" ")];
    return fields[3] === "Z" || fields[3] === "X" ? undefined : fields;
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ESRCH") return undefined;
    throw error;
  }
}
