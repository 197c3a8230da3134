import { open } from "node:fs/promises";
import { systemCode, ToolError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { listPartitions } from "../../linux/devices/partitions.ts";
import { compressionOf, containerOf, FORMAT_HEAD_BYTES } from "../../linux/files/disk-image-format.ts";
import { commandFailure, runCommand, runToExit } from "../../linux/run-command.ts";

export type ImportFormat =
  | { readonly kind: "raw"; readonly sizeBytes: number }
  | { readonly kind: "qcow2"; readonly sizeBytes: number }
  | { readonly kind: "tarball" };

const SECTOR_BYTES = 512;

/**
 * Finds out what a file is, by its content, whatever its name.
 *
 * @throws {ToolError} ERR_IMPORT if it is nothing that can be imported, or visibly not all of it.
 */
export async function detectImportFormat(path: string, signal: AbortSignal): Promise<ImportFormat> {
  const { head, fileBytes } = await readHead(path);
  if (fileBytes === 0) throw cannotImport(path, "it is empty");
  if (isTarball(head)) return { kind: "tarball" };
  const container = containerOf(head);
  if (container === "qcow2") return detectQcow2(path, signal);
  if (container !== undefined) {
    const hint = `Convert it first: qemu-img convert -O raw "${path}" disk.raw`;
    throw cannotImport(path, `it is a ${container} image, not a raw or qcow2 disk or a tarball`, hint);
  }
  await checkRawDisk(path, { head, fileBytes }, signal);
  return { kind: "raw", sizeBytes: fileBytes };
}

export function cannotImport(path: string, detail: string, hint?: string, cause?: unknown): ToolError {
  return new ToolError("ERR_IMPORT", `Cannot import "${path}": ${detail}`, { hint, cause, fault: "usage" });
}

async function readHead(path: string): Promise<{ head: Buffer; fileBytes: number }> {
  try {
    await using file = await open(path, "r");
    const status = await file.stat();
    if (!status.isFile()) throw cannotImport(path, "it is not a regular file");
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FORMAT_HEAD_BYTES), 0, FORMAT_HEAD_BYTES, 0);
    return { head: buffer.subarray(0, bytesRead), fileBytes: status.size };
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw cannotImport(path, "there is no such file", undefined, error);
    throw error;
  }
}

/** A tar archive as it is, or what a tarball is usually packed with. */
function isTarball(head: Buffer): boolean {
  return head.toString("latin1", 257, 262) === "ustar" || compressionOf(head) !== undefined;
}

async function detectQcow2(path: string, signal: AbortSignal): Promise<ImportFormat> {
  const argv = ["qemu-img", "info", "-f", "qcow2", "--output=json", path];
  const info = await runToExit(argv, { signal });
  if (info.exitCode !== 0)
    throw cannotImport(path, "it is cut short or damaged", undefined, commandFailure(argv, info));
  const about = JSON.parse(info.stdout.toString()) as QemuImageInfo;
  // Files that an image names are read as root, and it may name any.
  if (about["backing-filename"] !== undefined || about["format-specific"]?.data?.["data-file"] !== undefined) {
    const hint = `Make it one file first: qemu-img convert -O qcow2 "${path}" whole.qcow2`;
    throw cannotImport(path, "it needs another file, its backing file", hint);
  }
  // A read beyond the file's end gives zeros and no error, so a convert alone would not notice.
  const check = await runToExit(["qemu-img", "check", "-f", "qcow2", path], { signal });
  // 3: no corruption, only clusters that nothing uses (qemu-img(1)).
  if (check.exitCode !== 0 && check.exitCode !== 3) {
    throw cannotImport(path, "it is cut short or damaged", `See what is wrong: qemu-img check "${path}"`);
  }
  return { kind: "qcow2", sizeBytes: about["virtual-size"] };
}

interface QemuImageInfo {
  readonly "virtual-size": number;
  readonly "backing-filename"?: string;
  readonly "format-specific"?: { readonly data?: { readonly "data-file"?: string } };
}

/** A raw disk has no signature of its own: it is one if it has a partition table or a file system. */
export async function checkRawDisk(
  path: string,
  { head, fileBytes }: { head: Buffer; fileBytes: number },
  signal: AbortSignal,
): Promise<void> {
  if (fileBytes % SECTOR_BYTES !== 0) {
    const isDisk = (await probe(path, signal)).size > 0;
    throw cannotImport(path, isDisk ? cutShort(fileBytes) : "it is no disk: no partition table, no file system");
  }
  const neededBytes = Math.max(gptDiskBytes(head), fileSystemBytes(head), await partitionsEndBytes(path, signal));
  if (neededBytes > fileBytes) throw cannotImport(path, cutShort(fileBytes, neededBytes));
  const found = await probe(path, signal);
  if (!found.has("PTTYPE") && found.get("USAGE") !== "filesystem" && !found.has("AMBIVALENT")) {
    throw cannotImport(path, "it is no disk: no partition table, no file system");
  }
}

function cutShort(fileBytes: number, neededBytes?: number): string {
  const needed = neededBytes === undefined ? "" : ` of ${formatBytes(neededBytes)}`;
  return `it is cut short: it has ${formatBytes(fileBytes)}${needed}`;
}

async function probe(path: string, signal: AbortSignal): Promise<Map<string, string>> {
  const argv = ["blkid", "--probe", "--output", "export", path];
  const result = await runToExit(argv, { signal });
  // 2: nothing is recognized. 8: more than one thing is, as on an ISO image that is a disk too.
  if (result.exitCode === 2) return new Map();
  if (result.exitCode === 8) return new Map([["AMBIVALENT", "yes"]]);
  if (result.exitCode !== 0) throw commandFailure(argv, result);
  const lines = result.stdout.toString().split("\n").filter(Boolean);
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

async function partitionsEndBytes(path: string, signal: AbortSignal): Promise<number> {
  const partitions = await listPartitions(path, signal);
  return Math.max(0, ...partitions.map(({ startBytes, sizeBytes }) => startBytes + sizeBytes));
}

/** The size that a GUID partition table says its disk has, by where its copy is (UEFI 2.10, 5.3.2). */
function gptDiskBytes(head: Buffer): number {
  const header = head.subarray(SECTOR_BYTES);
  if (header.toString("latin1", 0, 8) !== "EFI PART") return 0;
  return (Number(header.readBigUInt64LE(32)) + 1) * SECTOR_BYTES;
}

/** The size of an ext2, ext3, ext4 or XFS file system, by its superblock. */
function fileSystemBytes(head: Buffer): number {
  if (head.length >= 0x43a && head.readUInt16LE(0x438) === 0xef53) {
    return head.readUInt32LE(0x404) * 1024 * 2 ** head.readUInt32LE(0x418);
  }
  if (head.toString("latin1", 0, 4) === "XFSB") return head.readUInt32BE(4) * Number(head.readBigUInt64BE(8));
  return 0;
}

/** Writes a qcow2 disk as a sparse raw file. */
export async function unpackQcow2(path: string, target: string, signal: AbortSignal): Promise<void> {
  // -W: in any order, which is faster; the target is sparse anyway.
  await runCommand(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", "-W", path, target], { signal });
}
