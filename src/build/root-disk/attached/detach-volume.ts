import type { Ec2Calls } from "../../../aws/ec2-api.ts";
import { waitFor } from "../../../aws/wait.ts";
import type { Clock } from "../../../base/clock.ts";
import type { VolumeId } from "../../../base/ids.ts";
import { NEVER } from "../../../base/never.ts";

const DETACH_DEADLINE_MS = 10 * 60_000;

/**
 * Detaches a volume. Resolves when it is attached nowhere.
 *
 * A release: it goes on although the build was cancelled, and whatever patience aws_polling asks for.
 *
 * @throws if it stays attached: a snapshot would miss what is not written yet, and the volume could not be deleted.
 */
export async function detachVolume(
  ec2: Ec2Calls,
  {
    volumeId,
    clock,
    tell,
    signal = NEVER,
  }: { volumeId: VolumeId; clock: Clock; tell: (text: string) => void; signal?: AbortSignal },
): Promise<void> {
  await ec2.detachVolume(volumeId);
  await waitFor(
    async () => {
      const attachment = (await ec2.findVolume(volumeId))?.attachments[0];
      if (attachment === undefined || attachment.state === "detached") return true;
      if (attachment.state === "busy") tell("the device is still in use on this host");
      // It was still attaching when it was asked to detach.
      if (attachment.state === "attached") await ec2.detachVolume(volumeId);
      return undefined;
    },
    { what: `volume ${volumeId} to be detached`, deadlineMs: DETACH_DEADLINE_MS, signal, clock },
  );
}
