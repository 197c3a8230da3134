import { isInstalled } from "../../build/check-host.ts";
import type { Check, CheckGroup, Packages, Way } from "./check.ts";

interface Tool {
  readonly name: string;
  readonly group: CheckGroup;
  readonly why: string;
  readonly packages: Packages;
  readonly ways?: readonly Way[];
}

const UTIL_LINUX: Packages = { apt: "util-linux", dnf: "util-linux" };
// Debian keeps these out of util-linux.
const MOUNT: Packages = { apt: "mount", dnf: "util-linux" };
const FDISK: Packages = { apt: "fdisk", dnf: "util-linux" };
const COREUTILS: Packages = { apt: "coreutils", dnf: "coreutils" };
const E2FSPROGS: Packages = { apt: "e2fsprogs", dnf: "e2fsprogs" };
// It is in the first on Ubuntu 24.04, in the second on Debian 12; both have both.
const STORAGE_DAEMON: Packages = { apt: ["qemu-utils", "qemu-system-common"], dnf: "qemu-img" };

const TOOLS: readonly Tool[] = [
  { name: "unshare", group: "host", packages: UTIL_LINUX, why: "gives each build mounts of its own" },
  { name: "nsenter", group: "host", packages: UTIL_LINUX, why: "runs commands where those mounts are seen" },
  { name: "mount", group: "host", packages: MOUNT, why: "mounts the image" },
  { name: "umount", group: "host", packages: MOUNT, why: "unmounts the image before its snapshot" },
  { name: "chroot", group: "host", packages: COREUTILS, why: "runs provisioners in the image" },
  { name: "env", group: "host", packages: COREUTILS, why: "gives them their environment" },
  { name: "sync", group: "host", packages: COREUTILS, why: "finds out whether all that was written is on the disk" },
  { name: "blkid", group: "host", packages: UTIL_LINUX, why: "tells which partition holds the root" },
  { name: "partx", group: "host", packages: UTIL_LINUX, why: "shows the partitions of a disk" },
  { name: "setpriv", group: "host", packages: UTIL_LINUX, why: "ends a helper with its parent" },
  { name: "flock", group: "host", packages: UTIL_LINUX, why: "keeps two builds from one device name" },
  {
    name: "qemu-storage-daemon",
    group: "direct",
    packages: STORAGE_DAEMON,
    why: "keeps what a build changes apart from its source",
  },
  {
    name: "fallocate",
    group: "direct",
    packages: UTIL_LINUX,
    why: "tries whether the changes can be kept where they are to be",
  },
  { name: "losetup", group: "local", packages: MOUNT, why: "makes a block device of a disk file" },
  {
    name: "qemu-img",
    group: "local",
    packages: { apt: "qemu-utils", dnf: "qemu-img" },
    why: "imports and exports qcow2, VMDK and VHD; tells what a build of amazon-direct changed",
    ways: ["local", "amazon-direct"],
  },
  { name: "sfdisk", group: "local", packages: FDISK, why: "partitions the disk for an imported tarball" },
  { name: "mkfs.ext4", group: "local", packages: E2FSPROGS, why: "makes its file system" },
  { name: "tar", group: "local", packages: { apt: "tar", dnf: "tar" }, why: "unpacks it" },
  { name: "zstd", group: "local", packages: { apt: "zstd", dnf: "zstd" }, why: "unpacks .tar.zst" },
  {
    name: "bwrap",
    group: "optional",
    packages: { apt: "bubblewrap", dnf: "bubblewrap" },
    why: "lets package managers in the image wait for no disk (suppress_sync)",
  },
  { name: "e2fsck", group: "optional", packages: E2FSPROGS, why: "checks an exported ext4 image" },
  {
    name: "xfs_repair",
    group: "optional",
    packages: { apt: "xfsprogs", dnf: "xfsprogs" },
    why: "checks an exported XFS image",
  },
];

/** Whether each command that amibake runs is installed. */
export function checkTools(): Promise<Check[]> {
  return Promise.all(
    TOOLS.map(async (tool) => ({ ...tool, status: (await isInstalled(tool.name)) ? "ok" : "missing" }) as const),
  );
}
