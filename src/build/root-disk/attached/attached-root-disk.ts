import { randomUUID } from "node:crypto";
import { waitFor } from "../../../aws/wait.ts";
import { ToolError } from "../../../base/errors.ts";
import type { SnapshotId, VolumeId } from "../../../base/ids.ts";
import type { BuildVariables } from "../../../template/deferred.ts";
import type { BuildContext, ChrootMeans, ContextWith } from "../../build-context.ts";
import { type Draft, makeDraft, runDraftStep } from "../../draft.ts";
import type { SourceImage } from "../../image/find-source-image.ts";
import { describeSnapshot } from "../describe-snapshot.ts";
import { planSize } from "../plan-size.ts";
import type { RootDisk } from "../root-disk.ts";
import { waitForSnapshot } from "../wait-for-snapshot.ts";
import { attachVolume } from "./attach-volume.ts";

type ChrootContext = ContextWith<ChrootMeans>;

const CREATE_DEADLINE_MS = 10 * 60_000;
// AWS: a snapshot of a large volume can take hours, and it cannot be sped up.
const SNAPSHOT_DEADLINE_MS = 24 * 60 * 60_000;

/** A volume made from the source image's root snapshot, attached to the instance that amibake runs on. */
export async function createAttachedRootDisk(
  context: ChrootContext,
  source: SourceImage,
  variables: BuildVariables,
): Promise<RootDisk> {
  const { ec2 } = context;
  const sizeGib = planSize(context, source);
  const volume = await runDraftStep<VolumeId>(
    context,
    `Creating a volume of ${sizeGib} GiB from ${source.root.snapshotId}`,
    {
      async make(progress) {
        const clientToken = randomUUID();
        return makeDraft(context, {
          kind: "volume",
          clientToken,
          make: (tags) =>
            ec2.createVolume({
              ...source.root,
              sizeGib,
              // EC2 takes the encryption of an encrypted snapshot by itself; "false" beside one is an error.
              encrypted: source.root.encrypted || undefined,
              availabilityZone: context.means.instance.availabilityZone,
              tags,
              clientToken,
            }),
          progress,
        });
      },
      async wait(made, progress) {
        progress.tell(`${made.id} is being created`);
        await waitUntilCreated(context, made);
      },
    },
  );
  return {
    sizeGib,
    blockDeviceMappings: source.blockDeviceMappings,
    attach: () => attachVolume(context, volume.id),
    snapshot: () => snapshotVolume(context, volume.id, source, variables),
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  };
}

async function waitUntilCreated(
  { ec2, polling, signal, clock }: BuildContext,
  { id: volumeId }: Draft<VolumeId>,
): Promise<void> {
  await waitFor(
    async () => {
      const volume = await ec2.findVolume(volumeId);
      if (volume?.state === "available") return true;
      if (volume === undefined || volume.state === "creating") return undefined;
      throw new ToolError("ERR_VOLUME", `Cannot use volume "${volumeId}": its state is ${volume.state}`);
    },
    { what: `volume ${volumeId} to become available`, deadlineMs: CREATE_DEADLINE_MS, polling, signal, clock },
  );
}

async function snapshotVolume(
  context: BuildContext,
  volumeId: VolumeId,
  source: SourceImage,
  variables: BuildVariables,
): Promise<Draft<SnapshotId>> {
  const { ec2 } = context;
  const about = describeSnapshot(context, source, variables);
  return runDraftStep<SnapshotId>(context, `Taking a snapshot of ${volumeId}`, {
    async make(progress) {
      return makeDraft(context, {
        kind: "snapshot",
        make: (tags) =>
          ec2.createSnapshot({ volumeId, description: about.description, tags: { ...about.tags, ...tags } }),
        progress,
      });
    },
    wait: (snapshot, progress) => waitForSnapshot(context, snapshot, { deadlineMs: SNAPSHOT_DEADLINE_MS, progress }),
  });
}
