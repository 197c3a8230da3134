import { hasCode } from "../../../aws/aws-error.ts";
import { AsyncDisposableStack } from "../../../base/async-disposable-stack.ts";
import type { DeviceName, DevicePath, InstanceId, VolumeId } from "../../../base/ids.ts";
import { keepable } from "../../attendance/keep-failed.ts";
import type { ChrootMeans, ContextWith, StepProgress } from "../../build-context.ts";
import { makeSettled, UnsettledError } from "../../settle.ts";
import type { AttachedDevice } from "../root-disk.ts";
import { chooseDeviceName, deviceNameFor } from "./choose-device-name.ts";
import { detachVolume } from "./detach-volume.ts";
import { lockDeviceNames } from "./lock-device-names.ts";
import { AttachmentLostError, waitForNode, waitUntilAttached } from "./wait-for-node.ts";

type ChrootContext = ContextWith<ChrootMeans>;

// It takes a node that somebody makes under our name while EC2 attaches: rare enough.
const LOSSES_MAX = 3;

/** Attaches a volume to the instance that amibake runs on. At the end of its scope it is detached. */
export async function attachVolume(context: ChrootContext, volumeId: VolumeId): Promise<AttachedDevice> {
  await using undo = new AsyncDisposableStack();
  let isRegistered = false;
  const promiseDetaching = async () => {
    if (!isRegistered) await registerDetaching(context, volumeId, undo);
    isRegistered = true;
  };
  const devicePath = await context.runStep(
    `Attaching ${volumeId} to ${context.means.instance.instanceId}`,
    async (progress) => {
      for (let losses = 0; ; losses++) {
        try {
          return await attachOnce(context, volumeId, promiseDetaching, progress);
        } catch (error) {
          const isFixed = context.means.devicePath !== undefined;
          if (!(error instanceof AttachmentLostError) || isFixed || losses >= LOSSES_MAX) throw error;
          progress.tell("EC2 has not attached it after all: trying again");
        }
      }
    },
  );
  context.emit({ type: "message", text: `The volume is ${devicePath}` });
  const owned = undo.move();
  return { devicePath, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** @throws {AttachmentLostError} */
async function attachOnce(
  context: ChrootContext,
  volumeId: VolumeId,
  promiseDetaching: () => Promise<void>,
  progress: StepProgress,
): Promise<DevicePath> {
  let deviceName: DeviceName;
  let devicePath: DevicePath;
  {
    // Until the node can be seen: another build, also one of Packer, looks at nodes.
    await using _lock = await lockDeviceNames(context, (text) => progress.tell(text));
    deviceName = await requestAttachment(context, volumeId, promiseDetaching, progress);
    progress.tell(`as ${deviceName}`);
    devicePath = await waitForNode(context, volumeId, deviceName);
  }
  await waitUntilAttached(context, volumeId, deviceName);
  return devicePath;
}

// Each lost race is with one other volume; there are no more names than this anyway.
const NAME_RACES_MAX = 20;

async function requestAttachment(
  context: ChrootContext,
  volumeId: VolumeId,
  promiseDetaching: () => Promise<void>,
  progress: StepProgress,
): Promise<DeviceName> {
  const { ec2, means } = context;
  const instanceId = context.means.instance.instanceId as InstanceId;
  const refused: string[] = [];
  for (;;) {
    const deviceName =
      means.devicePath === undefined
        ? await chooseDeviceName([...(await ec2.describeInstance(instanceId)).deviceNames, ...refused])
        : await deviceNameFor(means.devicePath);
    // Before the call: an attachment whose answer is lost must be undone too. One that never was is no failure.
    await promiseDetaching();
    try {
      return await attachSettled(context, volumeId, deviceName, progress);
    } catch (thrown) {
      // Whatever the call did: the volume is detached at the end.
      const error = thrown instanceof UnsettledError ? thrown.cause : thrown;
      const isTaken = hasCode(error, "InvalidParameterValue") && /already in use/.test(String(error));
      if (!isTaken || means.devicePath !== undefined || refused.length >= NAME_RACES_MAX) throw error;
      refused.push(deviceName);
    }
  }
}

async function registerDetaching(
  context: ChrootContext,
  volumeId: VolumeId,
  undo: AsyncDisposableStack,
): Promise<void> {
  const { journal, ec2, means, clock, runStep } = context;
  const intent = await journal.intend({ kind: "attachment", volumeId, instanceId: means.instance.instanceId });
  const attachment: AsyncDisposable = {
    async [Symbol.asyncDispose]() {
      await runStep(`Detaching ${volumeId}`, ({ tell }) => detachVolume(ec2.releasing, { volumeId, clock, tell }));
      await intent.gone();
    },
  };
  undo.use(keepable(context, attachment));
}

function attachSettled(
  { ec2, means, signal, clock }: ChrootContext,
  volumeId: VolumeId,
  deviceName: DeviceName,
  { tell }: StepProgress,
): Promise<DeviceName> {
  const { instanceId } = means.instance;
  return makeSettled<DeviceName>({
    what: "attachment",
    make: async () => {
      await ec2.attachVolume(volumeId, instanceId as InstanceId, deviceName);
      return deviceName;
    },
    find: async () => {
      const volume = await ec2.releasing.findVolume(volumeId);
      const attachments = volume?.attachments.filter((attachment) => attachment.instanceId === instanceId) ?? [];
      return attachments.map((attachment) => attachment.deviceName as DeviceName);
    },
    signal,
    clock,
    tell,
  });
}
