import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseMountTable } from "../../src/linux/mounts/mount-table.ts";
import { runCommand } from "../../src/linux/run-command.ts";

/** Mounts below `directory`, in whichever mount namespace, with a process that is in it. */
export async function mountsAnywhere(directory: string): Promise<string[]> {
  const found = new Map<string, string>();
  for (const pid of await processIds()) {
    // Whoever ends meanwhile has no table any more.
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined);
    if (namespace === undefined || found.has(namespace)) continue;
    const table = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    const mounts = parseMountTable(table).filter(({ mountpoint }) => mountpoint.startsWith(`${directory}/`));
    const shown = mounts.map(({ source, mountpoint }) => `mount of ${source} on ${mountpoint}, seen by process ${pid}`);
    found.set(namespace, shown.join("; "));
  }
  return [...found.values()].filter(Boolean);
}

/** Command lines of the processes that work in `directory` or name it. */
export async function processesIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await processIds()) {
    const [cwd, root, commandLine] = await Promise.all([
      readlink(`/proc/${pid}/cwd`).catch(() => ""),
      readlink(`/proc/${pid}/root`).catch(() => ""),
      readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    ]);
    const isThere =
      [cwd, root].some((path) => `${path}/`.startsWith(`${directory}/`)) || commandLine.includes(directory);
    // A zombie has no command line, and holds nothing.
    if (isThere && commandLine !== "") found.push(`process ${pid}: ${commandLine.replaceAll("\0", " ").trim()}`);
  }
  return found;
}

async function processIds(): Promise<string[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
}

/** The cgroups of builds that have no process any more: whoever made them should have removed them. */
export async function emptyCgroups(): Promise<string[]> {
  const own = await readFile("/proc/self/cgroup", "utf8");
  const parents = own.split("\n").flatMap((line) => {
    const [, controllers, path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === "pids") return [join("/sys/fs/cgroup/pids", path)];
    return controllers === "" ? [join("/sys/fs/cgroup", path), join("/sys/fs/cgroup/unified", path)] : [];
  });
  const found: string[] = [];
  for (const parent of parents) {
    for (const name of await readdir(parent).catch(() => [])) {
      if (!name.startsWith("amibake-")) continue;
      // Missing if it went between the two looks.
      const processes = await readFile(join(parent, name, "cgroup.procs"), "utf8").catch(() => "gone");
      if (processes === "") found.push(`cgroup ${join(parent, name)}`);
    }
  }
  return found;
}

/** What tells a loop device that presents an overlay from an earlier one of the same name; undefined for any other. */
export async function overlayDevice(devicePath: string): Promise<string | undefined> {
  const read = (file: string) => readFile(join("/sys/block", basename(devicePath), file), "utf8").catch(() => "");
  const [file, sequence] = await Promise.all([read("loop/backing_file"), read("diskseq")]);
  return isOverlay(file.trim()) ? `loop device ${devicePath}, use ${sequence.trim()}` : undefined;
}

const isOverlay = (backingFile: string | undefined): boolean => backingFile === "/sys/disk" || backingFile === "/disk";

/** Longer than the kernel takes to take a loop device apart whose daemon has ended, of whoever's build. */
const APART_MS = 2_000;

/** Loop devices of overlays that nobody serves any more, and that stay. */
export async function orphanedOverlays(): Promise<string[]> {
  const first = await unservedOverlays();
  if (first.length === 0) return [];
  await delay(APART_MS);
  const second = await unservedOverlays();
  return first.filter((device) => second.includes(device));
}

/** Each overlay of a build that lives is mounted where its daemon is. */
async function unservedOverlays(): Promise<string[]> {
  const argv = ["losetup", "--list", "--noheadings", "--raw", "--output", "NAME,BACK-MAJ:MIN,BACK-FILE"];
  // It pads, and tells of blanks in what it calls raw as \x20.
  const lines = (await runCommand(argv)).stdout.toString().replaceAll("\\x20", "").split("\n");
  const devices = lines.map((line) => line.split(" ")).filter(([, , file]) => isOverlay(file));
  if (devices.length === 0) return [];
  const served = new Set<string>();
  for (const pid of await processIds()) {
    const table = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    for (const [, device = ""] of table.matchAll(/^\d+ \d+ (\d+:\d+) .* - fuse /gm)) served.add(device);
  }
  const unserved = devices.filter(([, device = ""]) => !served.has(device)).map(([name = ""]) => overlayDevice(name));
  return (await Promise.all(unserved)).filter((device) => device !== undefined);
}

/** A node below /dev by which the disk of a volume is reached. */
export interface DiskNode {
  readonly path: string;
  /** Of the node itself: another build's node of the same name is not this one. */
  readonly inode: number;
  readonly changedMs: number;
}

/** The nodes of the disks that the local cloud of a store has attached. */
export async function diskNodes(storeDirectory: string): Promise<DiskNode[]> {
  const names = (await readdir("/dev")).filter((name) => /^(xvd|sd|nvme)/.test(name));
  const nodes: DiskNode[] = [];
  for (const path of names.map((name) => join("/dev", name))) {
    const status = await stat(path).catch(() => undefined);
    if (!status?.isBlockDevice()) continue;
    const file = await backingFile(status.rdev);
    if (!file.startsWith(storeDirectory)) continue;
    const { ino, ctimeMs } = await lstat(path);
    nodes.push({ path, inode: ino, changedMs: ctimeMs });
  }
  return nodes;
}

/** Of those nodes, what is still there. */
export async function remainingNodes(nodes: readonly DiskNode[]): Promise<string[]> {
  const remaining: string[] = [];
  for (const { path, inode, changedMs } of nodes) {
    const status = await lstat(path).catch(() => undefined);
    if (status?.ino === inode && status.ctimeMs === changedMs) remaining.push(`node ${path}`);
  }
  return remaining;
}

/** The file behind a loop device or one of its partitions; "" for any other disk. */
async function backingFile(rdev: number): Promise<string> {
  // Linux' own packing of 12 and 20 bits (makedev(3)).
  const major = (rdev >> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00);
  const device = await readlink(`/sys/dev/block/${major}:${minor}`).catch(() => "");
  const loop = /\/(loop\d+)(\/|$)/.exec(device)?.[1];
  if (loop === undefined) return "";
  return (await readFile(`/sys/block/${loop}/loop/backing_file`, "utf8").catch(() => "")).trim();
}
