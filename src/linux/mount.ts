import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../base/errors.ts";
import { findDeviceHolders } from "./device-holders.ts";
import { CommandError } from "./run-command.ts";
import type { Sandbox } from "./sandbox.ts";

/** Turns an argument vector into the one that is run: `command_wrapper`, `mount_command` and `unmount_command` do. */
export type WrapCommand = (argv: readonly string[]) => readonly string[];

export interface MountOptions {
  /** A device path, a directory to bind, or a name the file system type knows. */
  readonly source: string;
  readonly mountpoint: string;
  /** The file system type, "bind", or nothing: mount(8) finds it. */
  readonly type?: string;
  /** Each becomes `-o` of its own. */
  readonly options?: readonly string[];
  readonly wrap: WrapCommand;
  readonly signal: AbortSignal;
}

/** A file system that could not be mounted. */
export class MountError extends ToolError {
  override readonly name = "MountError";
  readonly source: string;
  readonly mountpoint: string;

  constructor(source: string, mountpoint: string, cause: unknown, hint: string) {
    super("ERR_MOUNT_FAILED", `Cannot mount "${source}" on "${mountpoint}"`, { cause, hint });
    this.source = source;
    this.mountpoint = mountpoint;
  }
}

/**
 * Mounts in the sandbox.
 *
 * @throws {MountError}
 */
export async function mount(sandbox: Sandbox, options: MountOptions): Promise<void> {
  const { source, mountpoint, type, wrap, signal } = options;
  const flags = (options.options ?? []).flatMap((option) => ["-o", option]);
  // A bind copies the propagation of its origin: what the host mounts there later would appear in the image, and keep it busy.
  const kind = type === "bind" ? ["--bind", "--make-private"] : type === undefined ? [] : ["-t", type];
  try {
    await sandbox.run(wrap(["mount", ...flags, ...kind, source, mountpoint]), { signal });
  } catch (cause) {
    signal.throwIfAborted();
    const hint = type === undefined ? `Check that it holds a file system: blkid ${source}` : `See dmesg | tail`;
    throw new MountError(source, mountpoint, cause, hint);
  }
}

// A process that was just killed may keep its files for some milliseconds more.
const BUSY_RETRIES_MAX = 20;
const BUSY_RETRY_MS = 100;

/**
 * Unmounts in the sandbox, never lazily: when this returns, everything is on the disk.
 *
 * It takes no signal: it has to finish although the build was cancelled.
 *
 * @param mountpoints in the order to unmount them.
 * @throws {ToolError} naming who holds the first file system that stays busy.
 */
export async function unmount(sandbox: Sandbox, mountpoints: readonly string[], wrap: WrapCommand): Promise<void> {
  if (mountpoints.length === 0) return;
  try {
    await sandbox.run(wrap(["umount", ...mountpoints]));
    return;
  } catch {
    // One of them is busy, or gone already. Now one by one, so that it can be told which, and why.
  }
  for (const mountpoint of mountpoints) await unmountOne(sandbox, mountpoint, wrap);
}

async function unmountOne(sandbox: Sandbox, mountpoint: string, wrap: WrapCommand): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const entry = (await sandbox.mountTable()).findLast((mounted) => mounted.mountpoint === mountpoint);
    // Unmounted meanwhile, most likely by a provisioner: the wanted state.
    if (entry === undefined) return;
    try {
      await sandbox.run(wrap(["umount", mountpoint]));
      return;
    } catch (cause) {
      if (isBusy(cause) && attempt <= BUSY_RETRIES_MAX) {
        await delay(BUSY_RETRY_MS);
        continue;
      }
      const holders = await findDeviceHolders(entry.deviceNumber);
      const who = holders.length === 0 ? "" : `; in use by ${holders.join("; ")}`;
      throw new ToolError("ERR_UNMOUNT_FAILED", `Cannot unmount "${mountpoint}"${who}`, { cause });
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof CommandError && /busy/.test(error.stderrTail);
}
