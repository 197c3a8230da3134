import { rm, rmdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { systemCode, ToolError } from "../base/errors.ts";
import type { DevicePath } from "../base/ids.ts";
import { tryLockFile } from "../linux/file-lock.ts";
import { makeDirectories } from "../linux/make-directories.ts";
import { mount, unmount } from "../linux/mount.ts";
import { mountsAtOrBelow } from "../linux/mount-table.ts";
import type { Sandbox } from "../linux/sandbox.ts";
import type { BuildContext } from "./build-context.ts";
import { commandWrappers } from "./command-wrappers.ts";
import { findRootPartition } from "./find-root-partition.ts";

export interface MountedRoot extends AsyncDisposable {
  /** The image's root directory, as the sandbox sees it. */
  readonly mountpoint: string;
}

/**
 * Mounts the root file system of a disk in the sandbox.
 *
 * At the end of its scope everything at and below the mountpoint is unmounted, also
 * what a provisioner mounted; that throws if it fails, because the disk is not complete then.
 */
export async function mountRoot(context: BuildContext, sandbox: Sandbox, device: DevicePath): Promise<MountedRoot> {
  const { config, signal, runStep, emit } = context;
  const { wrapMount, wrapUnmount } = commandWrappers(config);
  const mountpoint = resolve(config.mount_path.render({ Device: basename(device) }));
  const choice = await findRootPartition(device, config.mount_partition, signal);
  emit({ type: "message", text: choice.reason });

  await using undo = new AsyncDisposableStack();
  await runStep(`Mounting ${choice.devicePath} on ${mountpoint}`, async () => {
    undo.use(await lockMountpoint(mountpoint));
    await refuseMounted(sandbox, mountpoint);
    await makeMountpoint(mountpoint, undo);
    await mount(sandbox, {
      source: choice.devicePath,
      mountpoint,
      options: config.mount_options,
      wrap: wrapMount,
      signal,
    });
  });
  const owned = undo.move();
  return {
    mountpoint,
    async [Symbol.asyncDispose]() {
      await using _directories = owned;
      await runStep(`Unmounting ${mountpoint}`, async () => {
        // Backwards: the table lists a mount after the one it stands on.
        const mounted = mountsAtOrBelow(await sandbox.mountTable(), mountpoint).reverse();
        if (mounted.at(-1)?.mountpoint !== mountpoint) {
          throw new ToolError(
            "ERR_UNMOUNT_FAILED",
            `Cannot unmount "${mountpoint}": it was unmounted during the build`,
          );
        }
        await unmount(
          sandbox,
          mounted.map((entry) => entry.mountpoint),
          wrapUnmount,
        );
      });
    },
  };
}

const MOUNTPOINT_LOCKS = "/var/lock/amibake";

/** Another build's mount is in a namespace of its own: this is how two with one mount_path notice each other. */
async function lockMountpoint(mountpoint: string): Promise<AsyncDisposable> {
  const lock = await tryLockFile(join(MOUNTPOINT_LOCKS, encodeURIComponent(mountpoint)));
  if (lock === undefined) {
    throw new ToolError("ERR_MOUNTPOINT_IN_USE", `Cannot mount on "${mountpoint}": another build uses it`, {
      hint: "Give each build a mount_path of its own: {{.Device}} in it does",
    });
  }
  return {
    async [Symbol.asyncDispose]() {
      // While it is held: whoever waits for the name then sees that it is another file.
      await rm(lock.path, { force: true });
      await lock[Symbol.asyncDispose]();
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
      undo.defer(() => removeEmptyDirectories(made));
      return;
    } catch (cause) {
      // Another build that ends may remove the parent it made between our steps.
      if (systemCode(cause) === "ENOENT" && attempt < MAKE_ATTEMPTS_MAX) continue;
      throw new ToolError("ERR_MOUNTPOINT", `Cannot make the directory "${mountpoint}"`, { cause });
    }
  }
}

/** Removes the directories, deepest first, as far as nothing else is in them. */
async function removeEmptyDirectories(made: readonly string[]): Promise<void> {
  for (const directory of made.toReversed()) {
    const removed = await rmdir(directory).then(
      () => true,
      // ENOTEMPTY: another build works in it. ENOENT: another build was faster.
      () => false,
    );
    if (!removed) return;
  }
}
