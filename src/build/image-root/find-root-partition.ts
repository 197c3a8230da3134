import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../../base/errors.ts";
import type { DevicePath } from "../../base/ids.ts";
import { countOf } from "../../base/units.ts";
import { probeContent } from "../../linux/devices/describe-content.ts";
import { listPartitions, type Partition } from "../../linux/devices/partitions.ts";
import { commandFailure, runToExit } from "../../linux/run-command.ts";

export interface RootPartition {
  /** What is mounted: the whole disk, or one of its partitions. */
  readonly devicePath: string;
  /** Told to the user. */
  readonly reason: string;
}

/**
 * Finds the file system of the image's root.
 *
 * @param wanted `mount_partition`: a partition number, "0" for the whole disk, or nothing: it is found.
 * @throws {ToolError} if there is no such partition.
 */
export async function findRootPartition(
  device: DevicePath,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<RootPartition> {
  if (wanted === "0") return { devicePath: device, reason: `Root: ${device}, as mount_partition says` };
  if (wanted !== undefined) {
    const devicePath = await partitionNode(device, Number(wanted), signal);
    return { devicePath, reason: `Root: partition ${wanted} (${devicePath}), as mount_partition says` };
  }
  const partitions = await listPartitions(device, signal);
  if (partitions.length === 0 && (await holdsFileSystem(device, signal))) {
    return { devicePath: device, reason: `Root: ${device}, a file system on the whole disk` };
  }
  const { number, reason } = chooseRootPartition(partitions);
  const devicePath = await partitionNode(device, number, signal);
  return { devicePath, reason: `Root: partition ${number} (${devicePath}), ${reason}` };
}

// uapi-group.org/specifications/specs/discoverable_partitions_specification
const ROOT_TYPES = new Set([
  "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", // x86-64
  "b921b045-1df0-41c3-af44-4c6f280d3fae", // arm64
  "44479540-f297-41b2-9af7-d131d5f0458a", // x86
]);
const NEVER_ROOT_TYPES = new Set([
  "21686148-6449-6e6f-744e-656564454649", // BIOS boot
  "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", // EFI system
  "bc13c2ff-59e6-4262-a352-b275fd6f7172", // extended boot loader
  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", // swap
  "9e1a2d38-c612-4316-aa26-8b49521e5a8b", // PowerPC PReP boot
  "0x82", // MBR swap
  "0xef", // MBR EFI system
  "0x5", // MBR extended
  "0xf",
]);
const ROOT_LABELS = new Set(["root", "rootfs", "/", "cloudimg-rootfs", "linux"]);
/** Packer's default. */
const FALLBACK_NUMBER = 1;

/** Decides by what the partition table says. Pure. */
export function chooseRootPartition(partitions: readonly Partition[]): { number: number; reason: string } {
  const [only, ...others] = partitions;
  if (only !== undefined && others.length === 0) return { number: only.number, reason: "the only one" };
  const byType = partitions.filter(({ type }) => ROOT_TYPES.has(type.toLowerCase()));
  if (byType[0] !== undefined && byType.length === 1) return { number: byType[0].number, reason: "by its type" };
  const possible = partitions.filter(({ type }) => !NEVER_ROOT_TYPES.has(type.toLowerCase()));
  if (possible[0] !== undefined && possible.length === 1) {
    return { number: possible[0].number, reason: "the only one that is not for booting or swapping" };
  }
  const byLabel = possible.filter(({ label }) => ROOT_LABELS.has(label.toLowerCase()));
  if (byLabel[0] !== undefined && byLabel.length === 1) {
    return { number: byLabel[0].number, reason: `by its label "${byLabel[0].label}"` };
  }
  return {
    number: FALLBACK_NUMBER,
    reason: `the default, as ${countOf(partitions.length, "partition gives", "partitions give")} no hint: set mount_partition if it is another one`,
  };
}

const NODE_DEADLINE_MS = 10_000;
const NODE_LOOK_MS = 25;

/** Waits for the node of a partition: the kernel makes it some time after that of the disk. */
async function partitionNode(device: string, number: number, signal: AbortSignal): Promise<string> {
  const path = /\d$/.test(device) ? `${device}p${number}` : `${device}${number}`;
  const start = performance.now();
  while (!(await isBlockDevice(path))) {
    const partitions = await listPartitions(device as DevicePath);
    const isListed = partitions.some((partition) => partition.number === number);
    if (isListed && performance.now() - start > NODE_DEADLINE_MS) {
      throw partitionError(`Cannot find the node "${path}" of partition ${number}`);
    }
    if (!isListed) throw await missingPartition(device, number, partitions, signal);
    await delay(NODE_LOOK_MS, undefined, { signal });
  }
  return path;
}

async function missingPartition(
  device: string,
  number: number,
  partitions: readonly Partition[],
  signal: AbortSignal,
): Promise<ToolError> {
  const wanted = `Cannot find partition ${number} on "${device}"`;
  const numbers = partitions.map((partition) => partition.number).join(", ");
  if (numbers !== "") return partitionError(`${wanted}: it has ${numbers}`);
  const { partitionTable } = await probeContent(device, signal);
  if (partitionTable === undefined) return partitionError(`${wanted}: it has no partition table and no file system`);
  if (partitionTable !== "PMBR") return partitionError(`${wanted}: its partition table is empty`);
  return partitionError(
    `${wanted}: its GUID partition table is damaged, and so is the copy at its end`,
    "Repair a volume made of the source snapshot (sgdisk --verify DEVICE), and make an image of that",
  );
}

function partitionError(
  message: string,
  hint = "Set mount_partition: a partition's number, or 0 for the whole disk",
): ToolError {
  return new ToolError("ERR_PARTITION", message, { hint });
}

async function isBlockDevice(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isBlockDevice(),
    () => false,
  );
}

async function holdsFileSystem(device: string, signal: AbortSignal): Promise<boolean> {
  const argv = ["blkid", "--probe", "--output", "value", "--match-tag", "USAGE", device];
  const result = await runToExit(argv, { signal });
  // 2: nothing was recognized (blkid(8)); 8: more than one thing was, as with a stale signature under a partition table.
  if (result.exitCode === 2 || result.exitCode === 8) return false;
  if (result.exitCode !== 0) throw commandFailure(argv, result);
  return result.stdout.toString().trim() === "filesystem";
}
