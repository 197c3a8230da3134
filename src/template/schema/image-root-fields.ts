import * as z from "zod/mini";
import { deferred, deferredDefault, described } from "./fields.ts";

const CHROOT_MOUNTS: [string, string, string][] = [
  ["proc", "proc", "/proc"],
  ["sysfs", "sysfs", "/sys"],
  ["bind", "/dev", "/dev"],
  ["devpts", "devpts", "/dev/pts"],
  ["binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"],
];

const filledText = () => z.string().check(z.minLength(1, "must not be empty"));
const absolutePath = () => z.string().check(z.startsWith("/", 'must start with "/"'));

/** How the root file system comes to this host's tree, and what is mounted and lent in it. */
export const mountingFields = {
  mount_path: described(
    z._default(deferred(["Device"]), deferredDefault("/mnt/packer-amazon-chroot-volumes/{{.Device}}", ["Device"])),
    "Where the root file system is mounted. `{{.Device}}` is the device's last path component",
  ),
  mount_options: described(z._default(z.array(filledText()), []), "Options for mounting it (`-o`)"),
  mount_partition: described(
    z.optional(z.string().check(z.regex(/^\d+$/, "must be the number of a partition"))),
    "Number of the root partition; `0` is the whole device. Without it, it is found",
  ),
  mount_command: described(z._default(z.string(), "mount"), "Shell command that mounts"),
  unmount_command: described(z._default(z.string(), "umount"), "Shell command that unmounts"),
  command_wrapper: described(
    z._default(deferred(["Command"]), deferredDefault("{{.Command}}", ["Command"])),
    "Shell command around each command on the host, such as `sudo {{.Command}}`",
  ),
  chroot_mounts: described(
    z._default(
      z
        .array(z.tuple([filledText(), filledText(), absolutePath()]))
        // As in Packer: no mounts at all cannot be asked for.
        .check(z.overwrite((mounts) => (mounts.length === 0 ? CHROOT_MOUNTS : mounts))),
      CHROOT_MOUNTS,
    ),
    "What is mounted in the image: file system type or `bind`, source, path. An empty list means the default",
  ),
  copy_files: described(
    z._default(z.array(absolutePath()), ["/etc/resolv.conf"]),
    "Files of this host that the image gets while it is provisioned. `[]` for none",
  ),
};

/** What commands in the image can and may do. */
/** Of `max_processes`. Not 0: to Packer, and so here, that is a number that was not set. */
export const NO_PROCESS_LIMIT = -1;

export const insideFields = {
  pass_environment: described(
    z._default(
      z.array(z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable"))),
      [],
    ),
    "Environment variables of this host that commands in the image get too; what is not set is skipped. Without it: TERM and the proxies, no keys",
  ),
  suppress_sync: described(
    z._default(z.boolean(), true),
    "Whether fsync and the like return at once in the image, where bubblewrap is installed. Everything is written to the disk before its snapshot",
  ),
  allow_services: described(
    z._default(z.boolean(), false),
    "Whether packages that a provisioner installs may start their services. If not, Debian's `policy-rc.d` says so",
  ),
  max_processes: described(
    z._default(z.int().check(z.minimum(NO_PROCESS_LIMIT), z.maximum(4_194_304)), 4096),
    "Processes and threads that the commands of the image may have at once; a build in which more are asked for fails. -1 sets no limit, and there is none where the host has no `pids` cgroup. As with every number, 0 is the same as no key",
  ),
};
