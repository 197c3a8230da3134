import { mkdir, rmdir } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { systemCode, ToolError } from "../base/errors.ts";
import type { DevicePath } from "../base/ids.ts";
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
        await unmount(
          sandbox,
          mounted.map((entry) => entry.mountpoint),
          wrapUnmount,
        );
      });
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
      const first = await mkdir(mountpoint, { recursive: true, mode: 0o755 });
      if (first !== undefined) undo.defer(() => removeEmptyDirectories(mountpoint, first));
      return;
    } catch (cause) {
      // Another build that ends may remove the parent it made between our steps.
      if (systemCode(cause) === "ENOENT" && attempt < MAKE_ATTEMPTS_MAX) continue;
      throw new ToolError("ERR_MOUNTPOINT", `Cannot make the directory "${mountpoint}"`, { cause });
    }
  }
}

/** Removes `last` and its parents up to `first`, as far as nothing else is in them. */
async function removeEmptyDirectories(last: string, first: string): Promise<void> {
  for (let directory = last; directory.startsWith(first); directory = dirname(directory)) {
    const removed = await rmdir(directory).then(
      () => true,
      // ENOTEMPTY: another build works in it. ENOENT: another build was faster.
      () => false,
    );
    if (!removed) return;
  }
}
