import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { readMountTable } from "../mounts/mount-table.ts";
import { runToExit } from "../run-command.ts";

/** What blkid sees on a device: TYPE "ext4", UUID, USAGE "filesystem". */
export interface DeviceContent {
  readonly type: string | undefined;
  readonly uuid: string | undefined;
  /** PTTYPE: "gpt", "dos"; "PMBR" is what protects a GUID partition table that is not there. */
  readonly partitionTable: string | undefined;
}

export async function probeContent(devicePath: string, signal: AbortSignal): Promise<DeviceContent> {
  const argv = ["blkid", "--probe", "--output", "export", devicePath];
  const { exitCode, stdout } = await runToExit(argv, { signal });
  if (exitCode !== 0) return { type: undefined, uuid: undefined, partitionTable: undefined };
  const fields = new Map(
    stdout
      .toString()
      .split("\n")
      .map((line) => [line.split("=", 1)[0], line.replace(/^\w+=/, "")]),
  );
  return { type: fields.get("TYPE"), uuid: fields.get("UUID"), partitionTable: fields.get("PTTYPE") };
}

/** What is no root file system by itself, and what can be done. */
const NO_FILE_SYSTEMS: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  LVM2_member: ["a physical volume of LVM", "Choose a source image whose root is a plain partition"],
  crypto_LUKS: ["encrypted by LUKS", "Choose a source image without it: EBS encrypts volumes by itself"],
  zfs_member: ["a part of a ZFS pool", "Choose a source image whose root is ext4 or XFS"],
  linux_raid_member: ["a part of a RAID array", "Choose a source image whose root is a plain partition"],
  swap: ["swap space", "Name the root partition: mount_partition"],
  bcache: ["a part of a cache (bcache)", "Choose a source image whose root is a plain partition"],
};

const CHECKERS: Readonly<Record<string, string>> = {
  ...{ ext2: "e2fsck -f", ext3: "e2fsck -f", ext4: "e2fsck -f" },
  ...{ xfs: "xfs_repair", btrfs: "btrfs check", vfat: "fsck.vfat", f2fs: "fsck.f2fs" },
};

/** Why a device cannot be mounted, as far as its content tells. */
export async function explainMountFailure(
  devicePath: string,
  signal: AbortSignal,
): Promise<{ detail: string; hint: string }> {
  const { type, uuid, partitionTable } = await probeContent(devicePath, signal);
  if (type === undefined && partitionTable !== undefined) {
    const detail = `it holds a partition table (${partitionTable}), not a file system`;
    return { detail, hint: "Leave mount_partition out, or name the number of the root partition" };
  }
  if (type === undefined) {
    return { detail: "it holds no file system that is known", hint: "Name the root partition: mount_partition" };
  }
  const [what, hint] = NO_FILE_SYSTEMS[type] ?? [];
  if (what !== undefined && hint !== undefined) return { detail: `it is ${what}, not a file system`, hint };
  if (!(await isKnownToKernel(type))) {
    return {
      detail: `it holds ${type}, which this host's kernel does not have`,
      hint: `Load its module: modprobe ${type}; Ubuntu and Amazon Linux keep rare ones in packages of their own`,
    };
  }
  const twin = type === "xfs" ? await findTwin(devicePath, uuid, signal) : undefined;
  if (twin !== undefined) {
    return {
      detail: `its XFS has the UUID of "${twin}", which is mounted`,
      hint: 'Let XFS not look at it: "mount_options": ["nouuid"]',
    };
  }
  const checker = CHECKERS[type];
  return {
    detail: `its ${type} may be damaged, or an option of mount_options be wrong`,
    hint:
      checker === undefined ? "See dmesg" : `See dmesg; check a volume made of the source snapshot: ${checker} DEVICE`,
  };
}

/** After a try to mount it, for which the kernel loads what it has. */
async function isKnownToKernel(type: string): Promise<boolean> {
  const text = await readFile("/proc/filesystems", "utf8");
  return text.split("\n").some((line) => line.split("\t")[1] === type);
}

/** Among the host's own mounts: a build's sandbox has let go of those that others made. */
async function findTwin(
  devicePath: string,
  uuid: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const mounts = await readMountTable();
  const others = new Set(mounts.filter((entry) => entry.fileSystemType === "xfs").map(({ source }) => source));
  for (const other of others) {
    if (basename(other) !== basename(devicePath) && (await probeContent(other, signal)).uuid === uuid) return other;
  }
  return undefined;
}
