import type { VolumeId } from "../../base/ids.ts";
import { ApiError, incorrectState, invalidParameterValue, invalidValue } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { AttachmentRecord, VolumeRecord } from "../state/records.ts";
import { DeviceNodeExistsError } from "../storage/disk-storage.ts";
import { type Call, stopIfDryRun } from "./call.ts";
import { type Cloud, now } from "./cloud.ts";
import { attachmentFields } from "./describe-volumes.ts";
import { instanceId, instanceNotFound, volumeId } from "./resource-ids.ts";
import { refuseWithoutRoom } from "./room.ts";
import { changeVolume, ownVolume } from "./volumes.ts";

/**
 * Volumes that an instance takes, its root disk among them. Nitro: 28 attachments, one of which is the network's.
 * Xen: more than 40 are "only supported on a best effort basis" ("Volume limits", EC2 User Guide).
 */
const VOLUMES_MAX = { nitro: 27, xen: 40 } as const;

/** How often a device in use is tried again, in milliseconds. */
const BUSY_POLL_MS = 150;

const noDelay = () => Promise.resolve();

/** "Device names on Linux instances", EC2 User Guide: names an HVM or a PV instance may use. */
const DEVICE_NAME = /^(\/dev\/)?(sd[a-z]([1-9]|1[0-5])?|hd[a-z]([1-9]|1[0-5])?|xvd[a-z]|xvd[b-d][a-z])$/;

export async function attachVolume(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
  await refuseWithoutRoom(call);
  const id = volumeId(params.required("VolumeId"));
  requireHost(call, params.required("InstanceId"));
  const deviceName = params.required("Device");
  const volume = ownVolume(call, id);
  checkAttachable(call, volume, deviceName);
  stopIfDryRun(call);
  const attachment: AttachmentRecord = {
    instanceId: cloud.host.instanceId,
    deviceName,
    attachTime: now(cloud),
    state: "attaching",
  };
  await changeVolume(cloud, id, { state: "in-use", attachment });
  const answer = attachmentFields({ ...volume, attachment })[0] ?? {};
  const stuck = call.faults.effect("stuck-attaching");
  if (stuck !== undefined) attachLater(cloud, id, attachment, stuck.seconds);
  else await cloud.transitions.start("AttachVolume", (waitForDelay) => finishAttaching(cloud, id, waitForDelay));
  return answer;
}

/** Lets an attachment be "attaching" for a while, or until faults are cleared. It can be detached meanwhile. */
function attachLater(cloud: Cloud, id: VolumeId, attachment: AttachmentRecord, seconds: number | undefined): void {
  const { holds } = cloud.faults;
  holds.stop(attachment);
  cloud.transitions.startInBackground(async () => {
    await holds.wait(seconds);
    holds.goOn(attachment);
    // Another attachment has nothing to do with this one.
    if (cloud.state.volumes.get(id)?.attachment === attachment) await finishAttaching(cloud, id, noDelay);
  });
}

/** Makes the device of a volume that is "attaching", or that a closed store left attached. */
export async function finishAttaching(cloud: Cloud, id: VolumeId, waitForDelay: () => Promise<void>): Promise<void> {
  // The node comes at the end of the delay: a tool that looks for it must not be faster than one that asks EC2.
  await waitForDelay();
  const attachment = cloud.state.volumes.get(id)?.attachment;
  if (attachment === undefined) return;
  try {
    await cloud.storage.attach(id, fullDeviceName(attachment.deviceName));
  } catch (error) {
    await changeVolume(cloud, id, { state: "available", attachment: undefined });
    throw attachFailure(error, attachment.deviceName);
  }
  await changeAttachment(cloud, id, "attached");
}

export async function detachVolume(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
  const id = volumeId(params.required("VolumeId"));
  const askedInstance = params.string("InstanceId");
  const askedDevice = params.string("Device");
  if (id === cloud.host.rootVolumeId && call.caller.accountId === cloud.host.accountId) {
    const message = `Unable to detach root volume '${id}' from instance '${cloud.host.instanceId}'`;
    throw new ApiError("OperationNotPermitted", message);
  }
  if (askedInstance !== undefined) requireHost(call, askedInstance);
  const volume = ownVolume(call, id);
  const { attachment } = volume;
  if (attachment === undefined) throw incorrectState(`Volume '${id}' is in the '${volume.state}' state.`);
  if (askedDevice !== undefined && askedDevice !== attachment.deviceName) {
    throw new ApiError("InvalidAttachment.NotFound", `The volume '${id}' is not attached to device '${askedDevice}'.`);
  }
  const isDetachable = attachment.state === "attached" || cloud.faults.holds.isStopped(attachment);
  if (attachment.state === "attaching" && !isDetachable) {
    throw incorrectState(`Volume '${id}' is in the 'attaching' state.`);
  }
  if (!isDetachable && params.boolean("Force") !== true) {
    throw incorrectState(`Volume '${id}' is in the 'detaching' state.`);
  }
  stopIfDryRun(call);
  const detaching: AttachmentRecord = { ...attachment, state: "detaching" };
  const answer = attachmentFields({ ...volume, attachment: detaching })[0] ?? {};
  // A forced second call joins the detaching that goes on: nothing here can tear a mount away.
  if (!isDetachable) return answer;
  const stuck = call.faults.effect("stuck-detaching");
  if (stuck !== undefined) {
    await changeVolume(cloud, id, { attachment: { ...detaching, state: "busy" } });
    detachLater(cloud, id, stuck.seconds);
    return answer;
  }
  await changeVolume(cloud, id, { attachment: detaching });
  await cloud.transitions.start("DetachVolume", (waitForDelay) => startDetaching(cloud, id, waitForDelay));
  return answer;
}

/** Lets an attachment be "busy" for a while, or until faults are cleared. */
function detachLater(cloud: Cloud, id: VolumeId, seconds: number | undefined): void {
  cloud.transitions.startInBackground(async () => {
    await cloud.faults.holds.wait(seconds);
    await startDetaching(cloud, id, noDelay);
  });
}

/** Detaches now if it can be; a device in use goes on being tried, and nobody waits for that. */
export async function startDetaching(cloud: Cloud, id: VolumeId, waitForDelay: () => Promise<void>): Promise<void> {
  if (await cloud.storage.detach(id)) return finishDetaching(cloud, id, waitForDelay);
  await changeAttachment(cloud, id, "busy");
  cloud.transitions.startInBackground(async () => {
    do await cloud.transitions.sleep(BUSY_POLL_MS);
    while (!(await cloud.storage.detach(id)));
    await finishDetaching(cloud, id, waitForDelay);
  });
}

async function finishDetaching(cloud: Cloud, id: VolumeId, waitForDelay: () => Promise<void>): Promise<void> {
  await waitForDelay();
  await changeVolume(cloud, id, { state: "available", attachment: undefined });
}

async function changeAttachment(cloud: Cloud, id: VolumeId, state: AttachmentRecord["state"]): Promise<void> {
  const attachment = cloud.state.volumes.get(id)?.attachment;
  if (attachment !== undefined) await changeVolume(cloud, id, { attachment: { ...attachment, state } });
}

function requireHost({ cloud, caller, region }: Call, id: string): void {
  const { host } = cloud;
  const isHost = instanceId(id) === host.instanceId && caller.accountId === host.accountId && region === host.region;
  if (!isHost) throw instanceNotFound(id);
}

function checkAttachable({ cloud }: Call, volume: VolumeRecord, deviceName: string): void {
  const { host } = cloud;
  if (volume.attachment !== undefined) {
    throw new ApiError("VolumeInUse", `${volume.id} is already attached to an instance`);
  }
  if (volume.state !== "available") throw incorrectState(`${volume.id} is not 'available'.`);
  if (volume.zone !== host.zone) {
    const message = `The volume '${volume.id}' is not in the same availability zone as instance '${host.instanceId}'`;
    throw new ApiError("InvalidVolume.ZoneMismatch", message);
  }
  if (volume.productCodes.some(({ type }) => type === "marketplace")) {
    // Recorded from AWS: aws-parallelcluster #1001, SungardAS/enhanced-snapshots #119.
    const message = `Cannot attach volume '${volume.id}' with Marketplace codes as the instance '${host.instanceId}' is not in the 'stopped' state.`;
    throw new ApiError("IncorrectInstanceState", message);
  }
  if (!DEVICE_NAME.test(deviceName)) {
    throw invalidValue(deviceName, "device", `${deviceName} is not a valid EBS device name.`);
  }
  const attached = attachedVolumes(cloud);
  const usedNames = [host.rootDeviceName, ...attached.map(({ attachment }) => attachment?.deviceName ?? "")];
  if (usedNames.some((name) => attachmentPoint(name) === attachmentPoint(deviceName))) throw inUse(deviceName);
  const volumesMax = host.isNitro ? VOLUMES_MAX.nitro : VOLUMES_MAX.xen;
  if (attached.length + 1 < volumesMax) return;
  // Recorded from AWS: aws-ebs-csi-driver #2500.
  const message = `You may attach up to ${volumesMax} devices for this instance type. Please use a larger instance size to attach more volumes.`;
  throw new ApiError("AttachmentLimitExceeded", message);
}

/** Volumes that the host instance has, apart from its root disk. */
export function attachedVolumes(cloud: Cloud): VolumeRecord[] {
  return cloud.state.volumes.values().filter(({ attachment }) => attachment?.instanceId === cloud.host.instanceId);
}

/** `/dev/sdf`, `sdf` and `/dev/xvdf` are one place on a Xen instance. */
function attachmentPoint(deviceName: string): string {
  return fullDeviceName(deviceName).replace(/^\/dev\/(sd|xvd|hd)/, "");
}

function fullDeviceName(deviceName: string): string {
  return deviceName.startsWith("/dev/") ? deviceName : `/dev/${deviceName}`;
}

function inUse(deviceName: string): ApiError {
  return invalidParameterValue(
    `Invalid value '${deviceName}' for unixDevice. Attachment point ${deviceName} is already in use`,
  );
}

/** A name that somebody else's node has on this machine is, to the client, an attachment point in use. */
function attachFailure(error: unknown, deviceName: string): unknown {
  return error instanceof DeviceNodeExistsError ? inUse(deviceName) : error;
}
