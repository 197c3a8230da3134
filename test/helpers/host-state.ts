import { readdir, readFile, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readMountTable } from "../../src/linux/mounts/mount-table.ts";

/** What a build or a local cloud could leave on a machine, as lines that a person can read. */
export type HostState = ReadonlySet<string>;

/**
 * Mounts of this namespace, loop devices, device nodes that an attached volume would have, and
 * /etc/resolv.conf byte for byte.
 */
export async function readHostState(): Promise<HostState> {
  const resolvConf = await readFile("/etc/resolv.conf", "utf8").catch(() => "missing");
  const lines = [
    ...(await readMountTable()).map((mount) => `mount of ${mount.source} on ${mount.mountpoint}`),
    ...(await loopDevices()),
    ...(await deviceNodes()),
    `/etc/resolv.conf with ${JSON.stringify(resolvConf)}`,
  ];
  return new Set(numberRepeats(lines));
}

// The temporary directory of a test file that the runner runs beside others, below what is all of theirs.
const RUN_DIRECTORY = /^(?<run>.*\/ab-[^/]+)\/\d+\/t$/;

/** The mount table of the host, byte for byte, but for what other test files mount at the same time. */
export async function readHostMounts(): Promise<string> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  const own = tmpdir();
  const run = RUN_DIRECTORY.exec(own)?.groups?.["run"];
  const isOfOthers = (line: string): boolean => {
    const mountpoint = line.split(" ")[4] ?? "";
    return run !== undefined && mountpoint.startsWith(`${run}/`) && !mountpoint.startsWith(`${own}/`);
  };
  return text
    .split("\n")
    .filter((line) => !isOfOthers(line))
    .join("\n");
}

/** What is there now and was not before, then what was there before and is gone. */
export function hostStateChanges(before: HostState, after: HostState): string[] {
  const added = [...after].filter((line) => !before.has(line)).map((line) => `left behind: ${line}`);
  const removed = [...before].filter((line) => !after.has(line)).map((line) => `gone: ${line}`);
  return [...added, ...removed];
}

async function loopDevices(): Promise<string[]> {
  const lines: string[] = [];
  for (const name of await readdir("/sys/block")) {
    if (!name.startsWith("loop")) continue;
    // Missing for a loop device without a backing file.
    const backingFile = await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => "");
    if (backingFile !== "") lines.push(`loop device /dev/${name} of ${backingFile.trim()}`);
  }
  return lines;
}

async function deviceNodes(): Promise<string[]> {
  const nodes = (await readdir("/dev")).filter((name) => /^(xvd|sd|nvme)/.test(name)).map((name) => `/dev/${name}`);
  const byId = "/dev/disk/by-id";
  const links = (await readdir(byId).catch(() => [])).map((name) => path.join(byId, name));
  const targets = await Promise.all(links.map((link) => readlink(link).catch(() => "")));
  return [...nodes.map((node) => `node ${node}`), ...links.map((link, index) => `link ${link} to ${targets[index]}`)];
}

/** Two equal mounts are two things: a set must not merge them. */
function numberRepeats(lines: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const count = (seen.get(line) ?? 0) + 1;
    seen.set(line, count);
    return count === 1 ? line : `${line} (${count})`;
  });
}
