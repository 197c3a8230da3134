import type { Ec2Calls } from "../../../aws/ec2-api.ts";
import { type Polling, waitFor } from "../../../aws/wait.ts";
import type { Clock } from "../../../base/clock.ts";
import { ToolError } from "../../../base/errors.ts";
import type { DeviceName, DevicePath, VolumeId } from "../../../base/ids.ts";
import { formatDuration } from "../../../base/units.ts";
import { findVolumeDevice } from "../../../linux/devices/find-volume-device.ts";

// kubernetes-sigs/aws-ebs-csi-driver treats an attachment as stuck after 90 s.
const ATTACH_DEADLINE_MS = 5 * 60_000;
const NODE_DEADLINE_MS = 60_000;
const NODE_LOOK_MS = 25;
/** As a rule the node is there long before: then EC2 is not asked at all. */
const STATE_LOOK_MS = 5_000;
// EC2 may not know of a new attachment for a moment.
const MISSING_LOOKS_MAX = 3;

interface Waiting {
  readonly ec2: Pick<Ec2Calls, "findVolume">;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Waits for the block device of a volume that is being attached, and asks EC2 whether it still is.
 *
 * Where only its name tells whose the device is, it may be another's that came first: see `waitUntilAttached`.
 *
 * @throws {AttachmentLostError}
 * @throws {ToolError} as soon as it is clear that there will be none.
 */
export async function waitForNode(
  { ec2, signal, clock }: Waiting,
  volumeId: VolumeId,
  deviceName: DeviceName,
): Promise<DevicePath> {
  const startMs = clock.now();
  let lookedMs = startMs;
  let attachedMs: number | undefined;
  let missingLooks = 0;
  for (;;) {
    const found = await findVolumeDevice(volumeId, deviceName);
    if (found !== undefined) return found as DevicePath;
    const nowMs = clock.now();
    if (nowMs - lookedMs >= STATE_LOOK_MS) {
      lookedMs = nowMs;
      const state = (await ec2.findVolume(volumeId))?.attachments[0]?.state;
      if (state === "attached") attachedMs ??= nowMs;
      missingLooks = state === undefined ? missingLooks + 1 : 0;
      if (missingLooks >= MISSING_LOOKS_MAX) throw new AttachmentLostError(volumeId, deviceName);
    }
    if (attachedMs !== undefined && nowMs - attachedMs > NODE_DEADLINE_MS) throw noNode(volumeId, deviceName);
    const waitedMs = nowMs - startMs;
    if (waitedMs > ATTACH_DEADLINE_MS + NODE_DEADLINE_MS) throw stillAttaching(volumeId, deviceName, waitedMs);
    await clock.sleep(NODE_LOOK_MS, signal);
  }
}

/** EC2 took the call, and then did not attach the volume; or somebody detached it. */
export class AttachmentLostError extends ToolError {
  override readonly name = "AttachmentLostError";

  constructor(volumeId: VolumeId, deviceName: DeviceName) {
    super("ERR_VOLUME", `Cannot go on with ${volumeId}: EC2 does not have it attached as "${deviceName}"`, {
      hint: "Something detached or deleted it during the build: see CloudTrail, and build again",
    });
  }
}

// As long as `waitForNode` has patience.
const LOST_AFTER_MS = MISSING_LOOKS_MAX * STATE_LOOK_MS;

/**
 * Waits until EC2 calls the volume attached. Only then the device is known to be its own.
 *
 * @throws {AttachmentLostError} if EC2 has given the attachment up.
 */
export async function waitUntilAttached(
  { ec2, polling, signal, clock }: Waiting & { readonly polling: Polling | undefined },
  volumeId: VolumeId,
  deviceName: DeviceName,
): Promise<void> {
  let missingSinceMs: number | undefined;
  await waitFor(
    async () => {
      const attachments = (await ec2.findVolume(volumeId))?.attachments;
      if (attachments?.some(({ state }) => state === "attached")) return true;
      // A volume that EC2 does not show just now says nothing.
      if (attachments?.length !== 0) missingSinceMs = undefined;
      else missingSinceMs ??= clock.now();
      if (missingSinceMs !== undefined && clock.now() - missingSinceMs >= LOST_AFTER_MS) {
        throw new AttachmentLostError(volumeId, deviceName);
      }
      return undefined;
    },
    { what: `volume ${volumeId} to be attached`, deadlineMs: ATTACH_DEADLINE_MS, polling, signal, clock },
  );
}

function noNode(volumeId: VolumeId, deviceName: DeviceName): ToolError {
  return new ToolError(
    "ERR_NO_DEVICE_NODE",
    `Cannot find the block device of ${volumeId}, attached as "${deviceName}"`,
    { fault: "host", hint: "In a container, mount the host's /dev into it; else see lsblk and dmesg" },
  );
}

function stillAttaching(volumeId: VolumeId, deviceName: DeviceName, waitedMs: number): ToolError {
  return new ToolError(
    "ERR_NO_DEVICE_NODE",
    `Cannot wait longer than ${formatDuration(waitedMs)} for the block device of ${volumeId}, attaching as "${deviceName}"`,
    { hint: "Build again; if it repeats, choose a device_path, or stop and start the instance: EC2 keeps a name busy" },
  );
}
