// A root file system in a tarball becomes a disk: a GPT with one ext4 partition.
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../base/errors.ts";
import { GIB, MIB } from "../../base/units.ts";
import { commandFailure, runCommand, runToExit } from "../../linux/run-command.ts";
import { openSandbox } from "../../linux/sandbox/sandbox.ts";
import type { Architecture } from "../state/records.ts";
import { cannotImport } from "./detect-disk.ts";

export interface TarballContent {
  /** What the files take on a file system with blocks of 4 KiB. */
  readonly contentBytes: number;
}

/**
 * Reads a whole archive, so that what is wrong with it is known before anything is made.
 *
 * @throws {ToolError} ERR_IMPORT if it is damaged, or holds no root file system.
 */
export async function readTarball(path: string, signal: AbortSignal): Promise<TarballContent> {
  let contentBytes = 0;
  const topNames = new Set<string>();
  const argv = ["tar", "--list", "--verbose", "--numeric-owner", "--quoting-style=escape", "--file", path];
  const result = await runToExit(argv, {
    signal,
    onLine(stream, line) {
      const entry = stream === "stdout" ? parseEntry(line) : undefined;
      if (entry === undefined) return;
      contentBytes += 4096 * Math.max(1, Math.ceil(entry.sizeBytes / 4096));
      topNames.add(entry.topName);
    },
  });
  if (result.exitCode !== 0) {
    throw cannotImport(path, "it is no tar archive, or is cut short", undefined, commandFailure(argv, result));
  }
  const hasPrograms = topNames.has("usr") || topNames.has("bin");
  if (!topNames.has("etc") || !hasPrograms) {
    const hint = `Its top must hold etc and usr: tar --list --file "${path}"`;
    throw cannotImport(path, "it is an archive, but not of a root file system", hint);
  }
  return { contentBytes };
}

/** Of a line of `tar --list --verbose`: "-rw-r--r-- 0/0  123 2026-11-23 09:16 ./etc/hosts". */
export function parseEntry(line: string): { topName: string; sizeBytes: number } | undefined {
  // A device has its numbers, "1,3", in the place of a size.
  const match = /^\S{10}\S* \S+ +(\d+)(?:,\d+)? \S+ \S+ (?:\.\/|\/)*([^/ ]*)/.exec(line);
  if (match === null) return undefined;
  const [, size = "0", topName = ""] = match;
  return { topName, sizeBytes: /^[bc]/.test(line) ? 0 : Number(size) };
}

// Where the first partition begins on every disk that is partitioned today.
const PARTITION_START_BYTES = MIB;
// The copy of the table, rounded up.
const TABLE_COPY_BYTES = MIB;
// uapi-group.org/specifications/specs/discoverable_partitions_specification
const ROOT_TYPES: Partial<Record<Architecture, string>> = {
  x86_64: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
  arm64: "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
  i386: "44479540-F297-41B2-9AF7-D131D5F0458A",
};

/** The smallest disk that holds the content with room for an installation of packages. */
export function tarballDiskBytes({ contentBytes }: TarballContent): number {
  // A fifth more: inodes, journal and the 5 % that ext4 keeps for root.
  return Math.ceil((contentBytes * 1.2 + GIB) / GIB) * GIB;
}

export interface UnpackOptions {
  /** A directory for us alone, on a file system with room. */
  readonly scratch: string;
  readonly sizeBytes: number;
  readonly architecture: Architecture;
  readonly signal: AbortSignal;
}

/** Makes the disk `target` of a tarball. */
export async function unpackTarball(path: string, target: string, options: UnpackOptions): Promise<void> {
  const { sizeBytes, architecture, signal } = options;
  await makeFile(target, sizeBytes);
  const type = ROOT_TYPES[architecture] ?? "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
  const table = `label: gpt\nstart=${PARTITION_START_BYTES / 512}, type=${type}, name=root\n`;
  await runCommand(["sfdisk", "--quiet", target], { input: table, signal });
  const partitionBytes = sizeBytes - PARTITION_START_BYTES - TABLE_COPY_BYTES;
  const format = ["-E", `offset=${PARTITION_START_BYTES}`, "-L", "root", target, `${partitionBytes / 1024}k`];
  await runCommand(["mke2fs", "-q", "-F", "-t", "ext4", ...format], { signal });

  // The mount and its loop device are the sandbox's: the kernel removes both, however this process ends.
  const mountpoint = join(options.scratch, "root");
  await mkdir(mountpoint);
  await using sandbox = await openSandbox({ keepVisible: [path, options.scratch], signal });
  const mountOptions = `loop,offset=${PARTITION_START_BYTES},sizelimit=${partitionBytes}`;
  await sandbox.run(["mount", "-t", "ext4", "-o", mountOptions, target, mountpoint], { signal });
  const tar = [
    "tar",
    "--extract",
    "--file",
    path,
    "--directory",
    mountpoint,
    "--numeric-owner",
    "--preserve-permissions",
  ];
  const result = await sandbox.runToExit([...tar, "--xattrs", "--xattrs-include=*"], { signal });
  if (result.exitCode !== 0) throw unpackFailure(path, commandFailure(tar, result));
  // Not lazily: what follows reads the file that the loop device writes.
  await sandbox.run(["umount", mountpoint]);
}

function unpackFailure(path: string, cause: ToolError): ToolError {
  // "Wrote only": a write that did not fit as a whole, of the last file that fitted at all.
  const isFull = /No space left|Wrote only/.test(cause.message);
  return new ToolError("ERR_IMPORT", `Cannot unpack "${path}"${isFull ? ": the disk is too small" : ""}`, {
    cause,
    hint: isFull ? "Give it more room: --size GIB" : undefined,
  });
}

async function makeFile(path: string, sizeBytes: number): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.truncate(sizeBytes);
}
