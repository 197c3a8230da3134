import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { hasCode } from "../../../aws/aws-error.ts";
import { waitFor } from "../../../aws/wait.ts";
import { AsyncDisposableStack } from "../../../base/async-disposable-stack.ts";
import { releaseOrReport, ToolError } from "../../../base/errors.ts";
import type { DeviceName, DevicePath, InstanceId, SnapshotId, VolumeId } from "../../../base/ids.ts";
import { lockFile } from "../../../linux/file-lock.ts";
import { findVolumeDevice } from "../../../linux/find-volume-device.ts";
import type { BuildVariables } from "../../../template/deferred.ts";
import type { BuildContext } from "../../build-context.ts";
import { awsCommand, type Draft, draft } from "../../image/draft.ts";
import type { SourceImage } from "../../image/find-source-image.ts";
import { renderTags } from "../../image/register-image.ts";
import type { AttachedDevice, RootDisk } from "../root-disk.ts";
import { chooseDeviceName, deviceNameFor } from "./choose-device-name.ts";

/** Packer's own lock: builds of both tools on one host never choose the same device name. */
export const DEVICE_LOCK_PATH = "/var/lock/packer-chroot/lock";

const CREATE_DEADLINE_MS = 10 * 60_000;
// kubernetes-sigs/aws-ebs-csi-driver treats an attachment as stuck after 90 s.
const ATTACH_DEADLINE_MS = 5 * 60_000;
const NODE_DEADLINE_MS = 60_000;
const NODE_LOOK_MS = 25;
const DETACH_DEADLINE_MS = 10 * 60_000;
// AWS: a snapshot of a large volume can take hours, and it cannot be sped up.
const SNAPSHOT_DEADLINE_MS = 24 * 60 * 60_000;

/** A volume made from the source image's root snapshot, attached to the instance that amibake runs on. */
export async function createAttachedRootDisk(
  context: BuildContext,
  source: SourceImage,
  variables: BuildVariables,
): Promise<RootDisk> {
  const { ec2, reportLeftover } = context;
  await using undo = new AsyncDisposableStack();
  const sizeGib = planSize(context, source);
  const volumeId = await context.runStep(
    `Creating a volume of ${sizeGib} GiB from ${source.root.snapshotId}`,
    async (progress) => {
      const id = await ec2.createVolume({
        ...source.root,
        sizeGib,
        // EC2 takes the encryption of an encrypted snapshot by itself; "false" beside one is an error.
        encrypted: source.root.encrypted || undefined,
        availabilityZone: context.instance.availabilityZone,
        tags: {},
        clientToken: randomUUID(),
      });
      undo.defer(() =>
        releaseOrReport(
          { kind: "volume", id, removeWith: awsCommand(ec2.region, `delete-volume --volume-id ${id}`) },
          () => ec2.releasing.deleteVolume(id),
          reportLeftover,
        ),
      );
      context.emit({ type: "resource-created", kind: "volume", id, region: ec2.region });
      progress.tell(`${id} is being created`);
      await waitUntilCreated(context, id);
      return id;
    },
  );
  const owned = undo.move();
  return {
    sizeGib,
    attach: () => attachVolume(context, volumeId),
    snapshot: () => snapshotVolume(context, volumeId, source, variables),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function planSize({ config, emit }: BuildContext, source: SourceImage): number {
  const wanted = config.root_volume_size;
  if (wanted !== undefined && wanted < source.root.sizeGib) {
    emit({
      type: "warning",
      text: `root_volume_size of ${wanted} GiB is smaller than the ${source.root.sizeGib} GiB of the source image: the volume keeps ${source.root.sizeGib} GiB`,
    });
  }
  return Math.max(wanted ?? 0, source.root.sizeGib);
}

async function waitUntilCreated({ ec2, polling, signal }: BuildContext, volumeId: VolumeId): Promise<void> {
  await waitFor(
    async () => {
      const volume = await ec2.findVolume(volumeId);
      if (volume?.state === "available") return true;
      if (volume === undefined || volume.state === "creating") return undefined;
      throw new ToolError("ERR_VOLUME", `Cannot use volume "${volumeId}": its state is ${volume.state}`);
    },
    { what: `volume ${volumeId} to become available`, deadlineMs: CREATE_DEADLINE_MS, polling, signal },
  );
}

async function attachVolume(context: BuildContext, volumeId: VolumeId): Promise<AttachedDevice> {
  await using undo = new AsyncDisposableStack();
  const devicePath = await context.runStep(
    `Attaching ${volumeId} to ${context.instance.instanceId}`,
    async (progress) => {
      // Until the node can be seen: another build, also one of Packer, looks at nodes.
      await using _lock = await lockFile(DEVICE_LOCK_PATH, {
        signal: context.signal,
        onWait: () => progress.tell("waiting for another build on this host that is choosing its device"),
      });
      const deviceName = await requestAttachment(context, volumeId, undo);
      progress.tell(`as ${deviceName}`);
      return waitForNode(context, volumeId, deviceName);
    },
  );
  await waitUntilAttached(context, volumeId);
  context.emit({ type: "message", text: `The volume is ${devicePath}` });
  const owned = undo.move();
  return { devicePath, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

// Each lost race is with one other volume; there are no more names than this anyway.
const NAME_RACES_MAX = 20;

async function requestAttachment(
  context: BuildContext,
  volumeId: VolumeId,
  undo: AsyncDisposableStack,
): Promise<DeviceName> {
  const { ec2, config } = context;
  const instanceId = context.instance.instanceId as InstanceId;
  const refused: string[] = [];
  for (;;) {
    const deviceName =
      config.device_path === undefined
        ? await chooseDeviceName([...(await ec2.describeInstance(instanceId)).deviceNames, ...refused])
        : await deviceNameFor(config.device_path);
    // Before the call: an attachment whose answer is lost must be undone too. One that never was is no failure.
    if (refused.length === 0) undo.defer(() => detachVolume(context, volumeId));
    try {
      await ec2.attachVolume(volumeId, instanceId, deviceName);
      return deviceName;
    } catch (error) {
      const isTaken = hasCode(error, "InvalidParameterValue") && /already in use/.test(String(error));
      if (!isTaken || config.device_path !== undefined || refused.length >= NAME_RACES_MAX) throw error;
      refused.push(deviceName);
    }
  }
}

async function waitForNode({ signal }: BuildContext, volumeId: VolumeId, deviceName: DeviceName): Promise<DevicePath> {
  const start = performance.now();
  while (performance.now() - start < ATTACH_DEADLINE_MS + NODE_DEADLINE_MS) {
    const found = await findVolumeDevice(volumeId, deviceName);
    if (found !== undefined) return found as DevicePath;
    await delay(NODE_LOOK_MS, undefined, { signal });
  }
  throw new ToolError(
    "ERR_NO_DEVICE_NODE",
    `Cannot find the block device of ${volumeId}, attached as "${deviceName}"`,
    {
      fault: "host",
      hint: "In a container, mount the host's /dev into it; else see lsblk and dmesg",
    },
  );
}

async function waitUntilAttached({ ec2, polling, signal }: BuildContext, volumeId: VolumeId): Promise<void> {
  await waitFor(
    async () => {
      const volume = await ec2.findVolume(volumeId);
      return volume?.attachments.some(({ state }) => state === "attached") || undefined;
    },
    { what: `volume ${volumeId} to be attached`, deadlineMs: ATTACH_DEADLINE_MS, polling, signal },
  );
}

/** Throws if the volume stays attached: a snapshot would miss what is not written yet, and the volume could not be deleted. */
async function detachVolume({ ec2: { releasing: ec2 }, runStep }: BuildContext, volumeId: VolumeId): Promise<void> {
  await runStep(`Detaching ${volumeId}`, async (progress) => {
    await ec2.detachVolume(volumeId);
    // A release: it has to end although the build was cancelled, and whatever patience aws_polling asks for.
    const signal = new AbortController().signal;
    await waitFor(
      async () => {
        const attachment = (await ec2.findVolume(volumeId))?.attachments[0];
        if (attachment === undefined || attachment.state === "detached") return true;
        if (attachment.state === "busy") progress.tell("the device is still in use on this host");
        // It was still attaching when it was asked to detach.
        if (attachment.state === "attached") await ec2.detachVolume(volumeId);
        return undefined;
      },
      { what: `volume ${volumeId} to be detached`, deadlineMs: DETACH_DEADLINE_MS, signal },
    );
  });
}

async function snapshotVolume(
  context: BuildContext,
  volumeId: VolumeId,
  source: SourceImage,
  variables: BuildVariables,
): Promise<Draft<SnapshotId>> {
  const { ec2, config, polling, signal, emit, runStep } = context;
  return runStep(`Taking a snapshot of ${volumeId}`, async (progress) => {
    const id = await ec2.createSnapshot({
      volumeId,
      description: `amibake: ${context.buildName} from ${source.imageId}`,
      tags: { ...renderTags(config.tags, variables), ...renderTags(config.snapshot_tags, variables) },
    });
    const snapshot = draft(context, { kind: "snapshot", id, removeWith: `delete-snapshot --snapshot-id ${id}` }, () =>
      ec2.releasing.deleteSnapshot(id),
    );
    emit({ type: "resource-created", kind: "snapshot", id, region: ec2.region });
    try {
      await waitFor(
        async () => {
          const found = await ec2.findSnapshot(id);
          if (found?.state === "completed") return true;
          if (found !== undefined && found.state !== "pending") {
            const reason = found.stateMessage ?? "no reason given";
            throw new ToolError(
              "ERR_SNAPSHOT_FAILED",
              `Cannot use snapshot "${id}": its state is ${found.state}: ${reason}`,
            );
          }
          progress.tell(id, found?.percent ?? 0);
          return undefined;
        },
        { what: `snapshot ${id} to be completed`, deadlineMs: SNAPSHOT_DEADLINE_MS, polling, signal },
      );
      return snapshot;
    } catch (error) {
      await snapshot[Symbol.asyncDispose]();
      throw error;
    }
  });
}
