import { rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { systemCode, ToolError } from "../../base/errors.ts";
import type { DevicePath } from "../../base/ids.ts";
import { tryLockFile } from "../../linux/files/file-lock.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { mount } from "../../linux/mounts/mount.ts";
import type { MountEntry } from "../../linux/mounts/mount-table.ts";
import { unmountTree } from "../../linux/mounts/unmount.ts";
import { ext4ErrorCount, flushDevice, flushFileSystem } from "../../linux/mounts/write-errors.ts";
import type { Sandbox } from "../../linux/sandbox/sandbox.ts";
import { keepable } from "../attendance/keep-failed.ts";
import { findWayIn } from "../attendance/way-in.ts";
import type { BuildContext } from "../build-context.ts";
import { commandWrappers } from "./command-wrappers.ts";
import { findRootPartition } from "./find-root-partition.ts";

export interface MountedRoot extends AsyncDisposable {
  /** The image's root directory, as the sandbox sees it. */
  readonly mountpoint: string;
  /** What is mounted there now is the build's own. What comes later is a provisioner's, and is told of. */
  noteOwnMounts(): Promise<void>;
}

/**
 * Mounts the root file system of a disk in the sandbox.
 *
 * At the end of its scope everything at and below the mountpoint is unmounted, also
 * what a provisioner mounted; that throws if it fails, because the disk is not complete then.
 */
export async function mountRoot(context: BuildContext, sandbox: Sandbox, device: DevicePath): Promise<MountedRoot> {
  const { config, signal, runStep, emit, interaction } = context;
  const { wrapMount, wrapUnmount } = commandWrappers(config);
  const mountpoint = resolve(config.mount_path.render({ Device: basename(device) }));
  const choice = await findRootPartition(device, config.mount_partition, signal);
  emit({ type: "message", text: choice.reason });

  let own: readonly MountEntry[] | undefined;
  await using undo = new AsyncDisposableStack();
  await announceMountpoint(context, mountpoint, undo);
  const lock = undo.use(await lockMountpoint(mountpoint));
  await runStep(`Mounting ${choice.devicePath} on ${mountpoint}`, async () => {
    await refuseMounted(sandbox, mountpoint);
    await makeMountpoint(mountpoint, undo);
    await mount(sandbox, {
      source: choice.devicePath,
      mountpoint,
      options: config.mount_options,
      wrap: wrapMount,
      signal,
    });
    const root = await mountedAt(sandbox, mountpoint);
    const disk = { devicePath: choice.devicePath, errorCountBefore: await ext4ErrorCount(choice.devicePath) };
    const tell = (text: string) => emit({ type: "message", text });
    undo.defer(() =>
      runStep(`Unmounting ${mountpoint}`, async () => {
        try {
          await flushFileSystem(sandbox, root, disk);
        } finally {
          await unmountTree(sandbox, { root, wrap: wrapUnmount, own, tell });
        }
        await flushDevice(disk.devicePath);
        interaction.wayIn = undefined;
      }),
    );
    refuseReadOnly(root, config.mount_options);
  });
  interaction.wayIn = await findWayIn(context, sandbox, mountpoint);
  const owned = undo.move();
  const root: MountedRoot = {
    mountpoint,
    async noteOwnMounts() {
      own = await sandbox.mountTable();
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
  // A mount that is kept is in nobody's way: it is in its own namespace.
  return keepable(context, root, () => lock[Symbol.asyncDispose]());
}

const NEVER_WRITABLE = ["squashfs", "erofs", "iso9660", "cramfs"];

/** mount(8) falls back to it with no more than a warning. */
function refuseReadOnly({ source, fileSystemType, superOptions }: MountEntry, options: readonly string[]): void {
  if (!superOptions.includes("ro")) return;
  const message = `Cannot change the root file system of "${source}" (${fileSystemType}): it is mounted read-only`;
  const isWanted = options.some((option) => option.split(",").includes("ro"));
  const hint = isWanted
    ? 'Take "ro" out of mount_options'
    : NEVER_WRITABLE.includes(fileSystemType)
      ? `Choose another source image: nobody can write to ${fileSystemType}`
      : "It has errors, or a feature that this host's kernel can only read: see dmesg, and check a volume of its snapshot";
  throw new ToolError("ERR_READ_ONLY", message, { hint });
}

async function mountedAt(sandbox: Sandbox, mountpoint: string): Promise<MountEntry> {
  const entry = (await sandbox.mountTable()).findLast((mounted) => mounted.mountpoint === mountpoint);
  if (entry !== undefined) return entry;
  throw new ToolError("ERR_MOUNT_FAILED", `Cannot find a mount on "${mountpoint}" after mounting it`, {
    hint: "Check mount_command: it has to mount where its last argument says",
  });
}

/** In the journal before the lock is taken: whoever cleans up then takes the lock's file away too. */
async function announceMountpoint(
  { journal }: BuildContext,
  mountpoint: string,
  undo: AsyncDisposableStack,
): Promise<void> {
  const directories = await missingDirectories(mountpoint);
  const intent = await journal.intend({ kind: "mountpoint", path: mountpoint, directories });
  undo.defer(() => intent.gone());
}

const MOUNTPOINT_LOCKS = "/var/lock/amibake";
// `amibake clean` holds the lock for a moment, while it removes the directories of a dead build.
const LOCK_ATTEMPTS_MAX = 20;
const LOCK_PAUSE_MS = 50;

/** Another build's mount is in a namespace of its own: this is how two with one mount_path notice each other. */
export async function lockMountpoint(mountpoint: string): Promise<AsyncDisposable> {
  const path = join(MOUNTPOINT_LOCKS, encodeURIComponent(mountpoint));
  let lock = await tryLockFile(path);
  for (let attempt = 1; lock === undefined && attempt < LOCK_ATTEMPTS_MAX; attempt++) {
    await delay(LOCK_PAUSE_MS);
    lock = await tryLockFile(path);
  }
  if (lock === undefined) {
    throw new ToolError("ERR_MOUNTPOINT_IN_USE", `Cannot mount on "${mountpoint}": another build uses it`, {
      hint: "Give each build a mount_path of its own: {{.Device}} in it does",
    });
  }
  const taken = lock;
  return {
    async [Symbol.asyncDispose]() {
      // While it is held: whoever waits for the name then sees that it is another file.
      await rm(path, { force: true });
      await taken[Symbol.asyncDispose]();
    },
  };
}

async function refuseMounted(sandbox: Sandbox, mountpoint: string): Promise<void> {
  const taken = (await sandbox.mountTable()).find((entry) => entry.mountpoint === mountpoint);
  if (taken === undefined) return;
  throw new ToolError("ERR_MOUNTPOINT_IN_USE", `Cannot mount on "${mountpoint}": ${taken.source} is mounted there`, {
    hint: `Use another mount_path, or unmount it: umount ${mountpoint}`,
  });
}

const MAKE_ATTEMPTS_MAX = 20;

/** Makes the directory and its parents, and registers the removal of those that were not there. */
async function makeMountpoint(mountpoint: string, undo: AsyncDisposableStack): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const made = await makeDirectories(mountpoint);
      undo.defer(async () => void (await removeEmptyDirectories(made)));
      return;
    } catch (cause) {
      // Another build that ends may remove the parent it made between our steps.
      if (systemCode(cause) === "ENOENT" && attempt < MAKE_ATTEMPTS_MAX) continue;
      throw new ToolError("ERR_MOUNTPOINT", `Cannot make the directory "${mountpoint}"`, { cause });
    }
  }
}

/** The directories that `makeDirectories` would make, a parent before what is in it. */
async function missingDirectories(path: string): Promise<string[]> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists ? [] : [...(await missingDirectories(dirname(path))), path];
}

/**
 * Removes the directories, deepest first, as far as nothing else is in them.
 *
 * @returns those that were there.
 */
export async function removeEmptyDirectories(made: readonly string[]): Promise<string[]> {
  const removed: string[] = [];
  for (const directory of made.toReversed()) {
    try {
      await rmdir(directory);
      removed.push(directory);
    } catch (error) {
      // ENOENT: another build was faster. Else, mostly ENOTEMPTY: another build works in it.
      if (systemCode(error) !== "ENOENT") break;
    }
  }
  return removed;
}
