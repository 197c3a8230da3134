import * as z from "zod";
import { deferred, deferredDefault } from "./fields.ts";

const CHROOT_MOUNTS: [string, string, string][] = [
  ["proc", "proc", "/proc"],
  ["sysfs", "sysfs", "/sys"],
  ["bind", "/dev", "/dev"],
  ["devpts", "devpts", "/dev/pts"],
  ["binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"],
];

const absolutePath = () => z.string().startsWith("/", 'must start with "/"');

/** How the root file system comes to this host's tree, and what is mounted and lent in it. */
export const mountingFields = {
  mount_path: deferred(["Device"])
    .default(deferredDefault("/mnt/packer-amazon-chroot-volumes/{{.Device}}", ["Device"]))
    .describe("Where the root file system is mounted. `{{.Device}}` is the device's last path component"),
  mount_options: z.array(z.string().min(1, "must not be empty")).default([]).describe("Options for mounting it (`-o`)"),
  mount_partition: z
    .string()
    .regex(/^\d+$/, "must be the number of a partition")
    .optional()
    .describe("Number of the root partition; `0` is the whole device. Without it, it is found"),
  mount_command: z.string().default("mount").describe("Shell command that mounts"),
  unmount_command: z.string().default("umount").describe("Shell command that unmounts"),
  command_wrapper: deferred(["Command"])
    .default(deferredDefault("{{.Command}}", ["Command"]))
    .describe("Shell command around each command on the host, such as `sudo {{.Command}}`"),
  chroot_mounts: z
    .array(z.tuple([z.string().min(1, "must not be empty"), z.string().min(1, "must not be empty"), absolutePath()]))
    // As in Packer: no mounts at all cannot be asked for.
    .overwrite((mounts) => (mounts.length === 0 ? CHROOT_MOUNTS : mounts))
    .default(CHROOT_MOUNTS)
    .describe(
      "What is mounted in the image: file system type or `bind`, source, path. An empty list means the default",
    ),
  copy_files: z
    .array(absolutePath())
    .default(["/etc/resolv.conf"])
    .describe("Files of this host that the image gets while it is provisioned. `[]` for none"),
};

/** What commands in the image can and may do. */
/** Of `max_processes`. Not 0: to Packer, and so here, that is a number that was not set. */
export const NO_PROCESS_LIMIT = -1;

export const insideFields = {
  pass_environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable"))
    .default([])
    .describe(
      "Environment variables of this host that commands in the image get too; what is not set is skipped. Without it: TERM and the proxies, no keys",
    ),
  suppress_sync: z
    .boolean()
    .default(true)
    .describe(
      "Whether fsync and the like return at once in the image, where bubblewrap is installed. Everything is written to the disk before its snapshot",
    ),
  allow_services: z
    .boolean()
    .default(false)
    .describe(
      "Whether packages that a provisioner installs may start their services. If not, Debian's `policy-rc.d` says so",
    ),
  max_processes: z
    .number()
    .int()
    .min(NO_PROCESS_LIMIT)
    .max(4_194_304)
    .default(4096)
    .describe(
      "Processes and threads that the commands of the image may have at once; a build in which more are asked for fails. -1 sets no limit, and there is none where the host has no `pids` cgroup. As with every number, 0 is the same as no key",
    ),
};
