import { type Clock, timeoutSignal } from "../../../base/clock.ts";
import { ToolError } from "../../../base/errors.ts";
import { formatDuration } from "../../../base/units.ts";
import { type FileLock, lockFile } from "../../../linux/files/file-lock.ts";
import { findLockHolders } from "../../../linux/files/lock-holders.ts";

/** Packer's own lock: builds of both tools on one host never choose the same device name. */
export const DEVICE_LOCK_PATH = "/var/lock/packer-chroot/lock";

// A build holds it for some seconds, and for 6 minutes if EC2 cannot attach its volume.
const LOCK_DEADLINE_MS = 30 * 60_000;

/**
 * Waits until no other build on this host is choosing its device.
 *
 * @throws {ToolError} that names who has held the lock for too long.
 */
export async function lockDeviceNames(
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
  tell: (text: string) => void,
  path = DEVICE_LOCK_PATH,
): Promise<FileLock> {
  using deadline = timeoutSignal(clock, LOCK_DEADLINE_MS);
  const onWait = (): void => {
    const text = "waiting for another build on this host that is choosing its device";
    tell(text);
    void holdersOf(path).then((who) => who && tell(`${text}: ${who}`));
  };
  try {
    return await lockFile(path, {
      signal: AbortSignal.any([signal, deadline]),
      onWait,
    });
  } catch (error) {
    if (signal.aborted || !deadline.aborted) throw error;
    const who = (await holdersOf(path)) || "nobody can be found who holds it";
    const message = `Cannot wait longer than ${formatDuration(LOCK_DEADLINE_MS)} for "${path}": ${who}`;
    throw new ToolError("ERR_DEVICE_LOCK", message, { hint: "End that process if it hangs, and build again" });
  }
}

async function holdersOf(path: string): Promise<string> {
  return (await findLockHolders(path).catch(() => [])).join(", ");
}
