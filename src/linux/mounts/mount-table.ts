import { readdir, readFile, readlink } from "node:fs/promises";

/** One line of a mountinfo file (proc(5)). */
export interface MountEntry {
  readonly mountId: number;
  readonly parentId: number;
  /** "253:0" */
  readonly deviceNumber: string;
  /** The directory of the file system that is mounted: "/" but for a bind. */
  readonly root: string;
  readonly mountpoint: string;
  readonly fileSystemType: string;
  readonly source: string;
  /** Of the file system: "rw", and for a cgroup its controllers. */
  readonly superOptions: readonly string[];
  /** Whether mounts and unmounts here are passed on to other namespaces. */
  readonly isShared: boolean;
}

/** Parses mountinfo text, in its own order: a mount comes after the one it stands on. */
export function parseMountTable(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [before = "", after = ""] = line.split(" - ");
    const [mountId, parentId, deviceNumber, root, mountpoint, , ...optional] = before.split(" ");
    const [fileSystemType, source, superOptions] = after.split(" ");
    entries.push({
      mountId: Number(mountId),
      parentId: Number(parentId),
      deviceNumber: deviceNumber ?? "",
      root: unescapeOctal(root ?? ""),
      mountpoint: unescapeOctal(mountpoint ?? ""),
      fileSystemType: fileSystemType ?? "",
      source: unescapeOctal(source ?? ""),
      superOptions: (superOptions ?? "").split(","),
      isShared: optional.some((field) => field.startsWith("shared:")),
    });
  }
  return entries;
}

export async function readMountTable(path = "/proc/self/mountinfo"): Promise<MountEntry[]> {
  return parseMountTable(await readFile(path, "utf8"));
}

/** Whether something is mounted on a directory in any mount namespace of this host that has processes. */
export async function isMountedAnywhere(directory: string): Promise<boolean> {
  const seen = new Set<string>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // Gone between the listing and the look.
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined);
    if (namespace === undefined || seen.has(namespace)) continue;
    seen.add(namespace);
    const mounts = await readMountTable(`/proc/${pid}/mountinfo`).catch(() => []);
    if (mounts.some(({ mountpoint }) => mountpoint === directory)) return true;
  }
  return false;
}

/** The mounts at or below a directory, deepest last. */
export function mountsAtOrBelow(entries: readonly MountEntry[], directory: string): MountEntry[] {
  const prefix = directory.endsWith("/") ? directory : `${directory}/`;
  return entries.filter(({ mountpoint }) => mountpoint === directory || mountpoint.startsWith(prefix));
}

/** The kernel writes space, tab, newline and backslash in a path as \ooo. */
export function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
