import type { DevicePath } from "../../base/ids.ts";
import { together } from "../../base/together.ts";
import { joinExtents } from "../files/extents.ts";
import type { Extent } from "../files/sparse-file.ts";
import { runToExit } from "../run-command.ts";
import { probeContent } from "./describe-content.ts";

/**
 * What of a file system nobody reads, in bytes of its device, ascending: what no file and no table of its own occupies,
 * and on ext4 the journal behind its first block, which says that nothing in it counts.
 *
 * The file system must be unmounted, and have been unmounted well.
 *
 * @returns an empty list where it cannot be told: of other file systems than ext2 to ext4 and XFS, of one that is not
 *   clean, and where its own tool is not installed.
 */
export async function freeExtents(devicePath: DevicePath, signal: AbortSignal): Promise<Extent[]> {
  const { type = "" } = await probeContent(devicePath, signal);
  if (/^ext[234]$/.test(type)) {
    const [text, journal] = await together([
      outputOf(["dumpe2fs", devicePath], signal),
      // Inode 8 is that of the journal, if it is not on another device.
      outputOf(["debugfs", "-R", "stat <8>", devicePath], signal),
    ]);
    return parseExt4FreeSpace(text, journal);
  }
  if (type === "xfs") {
    const commands = ["sb 0", "print blocksize agblocks", "freesp -d"].flatMap((command) => ["-c", command]);
    return parseXfsFreeSpace(await outputOf(["xfs_db", "-r", ...commands, devicePath], signal));
  }
  return [];
}

/** @returns "" if the tool is missing or fails: nothing is known then. */
async function outputOf(argv: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    const { exitCode, stdout } = await runToExit(argv, { signal });
    return exitCode === 0 ? stdout.toString() : "";
  } catch {
    signal.throwIfAborted();
    return "";
  }
}

/**
 * Parses what dumpe2fs(8) prints, and debugfs(8) of the journal's inode. Blocks count from the start of the device,
 * whatever the first data block is.
 */
export function parseExt4FreeSpace(text: string, journal = ""): Extent[] {
  const header = new Map([...text.matchAll(/^([A-Z][^:\n]*):[ \t]+(.*)$/gm)].map(([, name, value]) => [name, value]));
  const blockBytes = Number(header.get("Block size"));
  const features = header.get("Filesystem features")?.split(" ") ?? [];
  // With bigalloc, what is printed is clusters. One that needs recovery has its tables in its journal.
  const isReadable = blockBytes > 0 && !features.includes("bigalloc") && !features.includes("needs_recovery");
  if (!isReadable || header.get("Filesystem state") !== "clean") return [];
  const extentOf = (first: number, last: number): Extent => ({
    startBytes: first * blockBytes,
    endBytes: (last + 1) * blockBytes,
  });
  const ranges = [...text.matchAll(/^ {2}Free blocks: (.*)$/gm)].flatMap(
    ([, list = ""]) => list.match(/\d+(?:-\d+)?/g) ?? [],
  );
  const free = ranges.map((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return extentOf(first, last);
  });
  // "Journal start: 0": it is empty.
  const unread =
    header.get("Journal start") === "0" ? journalBehindItsHead(journal).map((run) => extentOf(...run)) : [];
  return joinExtents([...free, ...unread].sort((a, b) => a.startBytes - b.startBytes));
}

/** Runs of file system blocks, first and last. Empty for a journal whose blocks are not listed as extents. */
function journalBehindItsHead(stat: string): [first: number, last: number][] {
  const [, list = ""] = /^EXTENTS:\n(.*)$/m.exec(stat) ?? [];
  // "(0-8191):196608-204799", "(7):5", and the blocks of the tree as "(ETB0):33795", which are in use.
  return [...list.matchAll(/\((\d+)(?:-\d+)?\):(\d+)(?:-(\d+))?/g)].flatMap(([, logical, first = "", last = first]) => {
    const begin = Number(first) + (logical === "0" ? 1 : 0);
    return begin > Number(last) ? [] : [[begin, Number(last)] as [number, number]];
  });
}

/** Parses what xfs_db(8) prints for "print blocksize agblocks" and "freesp -d". */
export function parseXfsFreeSpace(text: string): Extent[] {
  const field = (name: string): number => Number(new RegExp(`^${name} = (\\d+)$`, "m").exec(text)?.[1]);
  const blockBytes = field("blocksize");
  const groupBlocks = field("agblocks");
  if (!(blockBytes > 0 && groupBlocks > 0)) return [];
  // Below the list comes a histogram, with five columns.
  const rows = [...text.matchAll(/^ +(\d+) +(\d+) +(\d+)$/gm)].map((row) => row.slice(1).map(Number));
  return rows
    .map(([group = 0, block = 0, count = 0]) => {
      const startBytes = (group * groupBlocks + block) * blockBytes;
      return { startBytes, endBytes: startBytes + count * blockBytes };
    })
    .sort((a, b) => a.startBytes - b.startBytes);
}
