import { readFile } from "node:fs/promises";

/** One line of a mountinfo file (proc(5)). */
export interface MountEntry {
  readonly mountId: number;
  readonly parentId: number;
  /** "253:0" */
  readonly deviceNumber: string;
  readonly mountpoint: string;
  readonly fileSystemType: string;
  readonly source: string;
  /** Whether mounts and unmounts here are passed on to other namespaces. */
  readonly isShared: boolean;
}

/** Parses mountinfo text, in its own order: a mount comes after the one it stands on. */
export function parseMountTable(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [before = "", after = ""] = line.split(" - ");
    const [mountId, parentId, deviceNumber, , mountpoint, , ...optional] = before.split(" ");
    const [fileSystemType, source] = after.split(" ");
    entries.push({
      mountId: Number(mountId),
      parentId: Number(parentId),
      deviceNumber: deviceNumber ?? "",
      mountpoint: unescapeOctal(mountpoint ?? ""),
      fileSystemType: fileSystemType ?? "",
      source: unescapeOctal(source ?? ""),
      isShared: optional.some((field) => field.startsWith("shared:")),
    });
  }
  return entries;
}

export async function readMountTable(path = "/proc/self/mountinfo"): Promise<MountEntry[]> {
  return parseMountTable(await readFile(path, "utf8"));
}

/** The mounts at or below a directory, deepest last. */
export function mountsAtOrBelow(entries: readonly MountEntry[], directory: string): MountEntry[] {
  const prefix = directory.endsWith("/") ? directory : `${directory}/`;
  return entries.filter(({ mountpoint }) => mountpoint === directory || mountpoint.startsWith(prefix));
}

// The kernel writes space, tab, newline and backslash as \ooo.
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
