import { readdir, realpath, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode, ToolError } from "../base/errors.ts";
import type { FileLock } from "../linux/files/file-lock.ts";
import { type DeviceInUse, releaseDevices } from "./storage/release-devices.ts";
import { makeStoreDirectories, storeLayout } from "./storage/store-layout.ts";
import { lockStore } from "./store-lock.ts";

/** A file of this name in a store says that its blocks are in the memory of its daemon, or were when that ended. */
export const BLOCKS_IN_MEMORY = "blocks-in-memory";

/** Whether a directory holds a store, so that nothing else is ever taken for one. */
export async function isStore(directory: string): Promise<boolean> {
  try {
    return (await stat(storeLayout(directory).blockDirectory)).isDirectory();
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

interface ResetOptions {
  /** @default "/dev" */
  readonly deviceDirectory?: string | undefined;
}

/**
 * Deletes a store that no daemon serves: its devices on this host first, then all that it holds.
 *
 * @throws {ToolError} ERR_STORE_IN_USE, with nothing deleted, while one of its devices is mounted or open.
 */
export async function resetStore(
  directory: string,
  { signal, ...options }: ResetOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const storeDirectory = await realpath(directory);
  {
    await using lock = await lockStore(storeDirectory, signal);
    await emptyStore(storeDirectory, lock, options);
    // By name: the directory may be one that holds other things too. The blocks last: they make it a store.
    const files = ["endpoint.json", "control.sock", "daemon.log", BLOCKS_IN_MEMORY];
    for (const name of files) await rm(join(storeDirectory, name), { force: true });
    await rm(storeLayout(storeDirectory).blockDirectory, { recursive: true });
    for (const name of ["start.lock", "lock"]) await rm(join(storeDirectory, name), { force: true });
  }
  try {
    await rmdir(storeDirectory);
  } catch (error) {
    // Something else is in it, or it is a mountpoint.
    if (!["ENOTEMPTY", "EBUSY", "ENOENT"].includes(systemCode(error) ?? "")) throw error;
  }
}

/**
 * Deletes what a store holds: its devices on this host first, then disks and records. It stays a store, and its
 * identity goes too.
 *
 * @param lock the store's, which the caller holds.
 * @throws {ToolError} ERR_STORE_IN_USE, with nothing deleted, while one of its devices is mounted or open.
 */
export async function emptyStore(storeDirectory: string, lock: FileLock, options: ResetOptions = {}): Promise<void> {
  const layout = storeLayout(storeDirectory);
  await makeStoreDirectories(layout);
  const held = { extraFds: [lock.fd] };
  const inUse = await releaseDevices(layout, { deviceDirectory: options.deviceDirectory ?? "/dev", held });
  if (inUse.length > 0) throw devicesInUse(storeDirectory, inUse);
  const { blockDirectory, ...others } = layout;
  for (const path of [join(storeDirectory, "state"), ...Object.values(others)])
    await rm(path, { recursive: true, force: true });
  for (const name of await readdir(blockDirectory)) await rm(join(blockDirectory, name), { recursive: true });
}

function devicesInUse(storeDirectory: string, inUse: readonly DeviceInUse[]): ToolError {
  const devices = inUse.map(({ devicePath, holders }) => {
    return holders.length === 0 ? `"${devicePath}" is in use` : `"${devicePath}" is in use: ${holders.join("; ")}`;
  });
  return new ToolError("ERR_STORE_IN_USE", `Cannot delete the store "${storeDirectory}": ${devices.join("; ")}`, {
    hint: "Unmount it and close what has it open, then try again",
    fault: "host",
  });
}
