import { realpath, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode, ToolError } from "../base/errors.ts";
import { type DeviceInUse, releaseDevices } from "./storage/release-devices.ts";
import { makeStoreDirectories, storeLayout } from "./storage/store-layout.ts";
import { lockStore } from "./store-lock.ts";

/** Whether a directory holds a store, so that nothing else is ever taken for one. */
export async function isStore(directory: string): Promise<boolean> {
  try {
    return (await stat(storeLayout(directory).blockDirectory)).isDirectory();
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

/**
 * Deletes a store that no daemon serves: its devices on this host first, then all that it holds.
 *
 * @throws {ToolError} ERR_STORE_IN_USE, with nothing deleted, while one of its devices is mounted or open.
 */
export async function resetStore(
  directory: string,
  options: { readonly signal: AbortSignal; readonly deviceDirectory?: string },
): Promise<void> {
  const storeDirectory = await realpath(directory);
  {
    await using lock = await lockStore(storeDirectory, options.signal);
    const layout = storeLayout(storeDirectory);
    await makeStoreDirectories(layout);
    const inUse = await releaseDevices(layout, {
      deviceDirectory: options.deviceDirectory ?? "/dev",
      held: { extraFds: [lock.fd] },
    });
    if (inUse.length > 0) throw devicesInUse(storeDirectory, inUse);
    // By name: the directory may be one that holds other things too. The blocks last: they make it a store.
    const { blockDirectory, ...others } = storeLayout(storeDirectory);
    const files = ["state", "endpoint.json", "control.sock", "daemon.log"].map((name) => join(storeDirectory, name));
    for (const path of [...files, ...Object.values(others), blockDirectory])
      await rm(path, { recursive: true, force: true });
    for (const name of ["start.lock", "lock"]) await rm(join(storeDirectory, name), { force: true });
  }
  try {
    await rmdir(storeDirectory);
  } catch (error) {
    // Something else is in it, or it is a mountpoint.
    if (!["ENOTEMPTY", "EBUSY", "ENOENT"].includes(systemCode(error) ?? "")) throw error;
  }
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
