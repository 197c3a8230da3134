import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { type CommandResult, commandFailure, runCommand, runToExit } from "../run-command.ts";
import type { HeldFiles } from "./loop-device.ts";

/** One entry of a partition table, GPT or MBR. */
export interface Partition {
  /** As in the name of its node: 1 is `/dev/xvdf1`. */
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** Of a GPT entry a UUID in lower case, of an MBR entry "0x83". */
  readonly type: string;
  /** The name of a GPT entry. "" if it has none, as every MBR entry. */
  readonly label: string;
  /** Of a GPT entry a UUID, of an MBR entry "769c8be9-01". */
  readonly uuid: string;
}

// partx counts in these whatever the device's own sectors are.
const SECTOR_BYTES = 512;

/**
 * Lists the partitions of a block device or of an image file, by their number.
 *
 * @returns an empty list if there is no partition table, or one with no entry.
 */
export async function listPartitions(path: string, signal?: AbortSignal): Promise<Partition[]> {
  const argv = ["partx", "--pairs", "--output", "NR,START,SECTORS,TYPE,NAME,UUID", path];
  const result = await runToExit(argv, { signal });
  if (hasNoTable(result)) return [];
  if (result.exitCode !== 0) throw commandFailure(argv, result);
  return parsePartitions(result.stdout.toString()).sort((a, b) => a.number - b.number);
}

/** partx exits with 1 for a disk without a table and for one that it cannot open; only its words tell which. */
function hasNoTable({ exitCode, stderrTail }: CommandResult): boolean {
  return exitCode === 1 && stderrTail.includes("failed to read partition table");
}

/** Parses what `partx --pairs` prints. */
export function parsePartitions(text: string): Partition[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = new Map([...line.matchAll(/([A-Z]+)="([^"]*)"/g)].map(([, name, value = ""]) => [name, value]));
      const field = (name: string): string => unescapeHex(fields.get(name) ?? "");
      return {
        number: Number(field("NR")),
        startBytes: Number(field("START")) * SECTOR_BYTES,
        sizeBytes: Number(field("SECTORS")) * SECTOR_BYTES,
        type: field("TYPE"),
        label: field("NAME"),
        uuid: field("UUID"),
      };
    });
}

/** util-linux writes quotes, backslashes and what is not ASCII as \xNN, byte by byte. */
function unescapeHex(text: string): string {
  const bytes = text.replaceAll(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, "latin1").toString();
}

/**
 * Tells the kernel about the partitions of a disk. A kernel that found them by itself is left as it is, and a disk
 * without a partition table has none.
 *
 * Needed even where the kernel can read partition tables: it does not look into a loop device unless told to.
 */
export async function addPartitions(devicePath: string, held: HeldFiles = {}): Promise<void> {
  const known = new Set(await partitionNumbers(devicePath));
  const missing = (await listPartitions(devicePath)).filter(({ number }) => !known.has(number));
  if (missing.length === 0) return;
  // Not --update: it stops at the first gap in the numbers, and Debian's images have 1, 14 and 15.
  const ranges = known.size === 0 ? [[]] : missing.map(({ number }) => ["--nr", `${number}:${number}`]);
  for (const range of ranges) {
    const argv = ["partx", "--add", ...range, devicePath];
    const result = await runToExit(argv, held);
    // A partition that reaches beyond the disk or into another one is left out, as the kernel itself would.
    const isOnlyRefused = result.stderrTail.includes("error adding partition");
    if (result.exitCode !== 0 && !isOnlyRefused) throw commandFailure(argv, result);
  }
}

/**
 * Makes the kernel forget the partitions of a disk. Their content is untouched.
 *
 * @throws {CommandError} if one of them is open.
 */
export async function removePartitions(devicePath: string, held: HeldFiles = {}): Promise<void> {
  if ((await partitionNames(devicePath)).length > 0) await runCommand(["partx", "--delete", devicePath], held);
}

/** The kernel's names of the partitions that it knows now: ["loop0p1", "loop0p2"], by number. */
export async function partitionNames(devicePath: string): Promise<string[]> {
  const disk = basename(devicePath);
  const names = (await readdir(`/sys/block/${disk}`)).filter((name) => name.startsWith(disk));
  return names.sort((a, b) => numberIn(a) - numberIn(b));
}

async function partitionNumbers(devicePath: string): Promise<number[]> {
  return (await partitionNames(devicePath)).map(numberIn);
}

function numberIn(partitionName: string): number {
  return Number(/\d+$/.exec(partitionName)?.[0]);
}
