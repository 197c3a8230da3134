import type { VolumeId } from "../../base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { ApiError, incorrectState, invalidParameterValue, missingParameter } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import { lineageOf, type SnapshotRecord, type VolumeRecord } from "../state/records.ts";
import { type Call, hideIfStruck, stopIfDryRun } from "./call.ts";
import { earlierResource, oneAtATime, rememberResource } from "./client-tokens.ts";
import { type Cloud, now } from "./cloud.ts";
import { volumeFields } from "./describe-volumes.ts";
import { planEncryption } from "./encryption.ts";
import { zonesOf } from "./regions.ts";
import { newVolumeId, snapshotId, volumeId, volumeNotFound } from "./resource-ids.ts";
import { refuseWithoutRoom } from "./room.ts";
import { snapshotForVolume } from "./snapshots.ts";
import { tagSpecifications } from "./tag-rules.ts";
import { planVolumeShape, VOLUME_TYPES } from "./volume-types.ts";

export function createVolume(call: Call): Promise<XmlObject> {
  return oneAtATime(call, () => create(call));
}

async function create(call: Call): Promise<XmlObject> {
  const { cloud, params, caller, region } = call;
  const earlier = earlierResource(call);
  if (earlier !== undefined) return volumeFields(knownVolume(call, volumeId(earlier)));
  const zone = requestedZone(call);
  const source = requestedSnapshot(call);
  const sizeGib = params.integer("Size") ?? source?.sizeGib;
  if (sizeGib === undefined) throw missingParameter("size/snapshot");
  if (source !== undefined && sizeGib < source.sizeGib) {
    throw invalidParameterValue(
      `Volume of ${sizeGib}GiB is smaller than snapshot '${source.id}', expect size >= ${source.sizeGib}GiB`,
    );
  }
  // CreateVolume, "VolumeType": "Default: gp2".
  const type = params.choice("VolumeType", VOLUME_TYPES) ?? "gp2";
  const shape = planVolumeShape({
    type,
    sizeGib,
    iops: params.integer("Iops"),
    throughput: params.integer("Throughput"),
  });
  const encryption = planEncryption(call, {
    encrypted: params.boolean("Encrypted"),
    kmsKeyId: params.string("KmsKeyId"),
    source,
  });
  const multiAttachEnabled = params.boolean("MultiAttachEnabled") ?? false;
  if (multiAttachEnabled && type !== "io1" && type !== "io2") {
    throw new ApiError("InvalidParameterCombination", "Multi-Attach is only supported for io1 and io2 volumes.");
  }
  const tags = tagSpecifications(params, ["volume"]).get("volume") ?? [];
  stopIfDryRun(call);
  await refuseWithoutRoom(call, (source?.blockCount ?? 0) * SNAPSHOT_BLOCK_BYTES);
  const volume: VolumeRecord = {
    ...shape,
    ...encryption,
    id: newVolumeId(),
    ownerId: caller.accountId,
    region,
    sequence: cloud.state.nextSequence(),
    zone,
    multiAttachEnabled,
    snapshotId: source?.id,
    lineageId: source === undefined ? undefined : lineageOf(source),
    createTime: now(cloud),
    productCodes: source?.productCodes ?? [],
    tags,
    state: "creating",
  };
  hideIfStruck(call, volume.id);
  cloud.state.volumes.put(volume.id, volume);
  rememberResource(call, volume.id);
  await cloud.state.commit();
  const answer = volumeFields(volume);
  const isToFail = call.faults.effect("volume-error") !== undefined;
  const finish = isToFail ? failCreating : finishCreating;
  await cloud.transitions.start("CreateVolume", (waitForDelay) => finish(cloud, volume, waitForDelay));
  return answer;
}

/** Makes the disk of a volume that is "creating". Also what an opened store does with one. */
export async function finishCreating(
  cloud: Cloud,
  volume: VolumeRecord,
  waitForDelay: () => Promise<void>,
): Promise<void> {
  const { id, sizeGib, snapshotId: source } = volume;
  const content = { sizeBytes: sizeGib * GIB, ...(source === undefined ? {} : { snapshotId: source }) };
  try {
    await cloud.storage.createVolume(id, content);
  } catch (error) {
    // As in EC2: the call has succeeded, the volume has not.
    cloud.report(`Cannot make volume "${id}"`, error);
    return changeVolume(cloud, id, { state: "error" });
  }
  await waitForDelay();
  await changeVolume(cloud, id, { state: "available" });
}

async function failCreating(cloud: Cloud, { id }: VolumeRecord, waitForDelay: () => Promise<void>): Promise<void> {
  await waitForDelay();
  await changeVolume(cloud, id, { state: "error" });
}

export async function deleteVolume(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
  const volume = ownVolume(call, volumeId(params.required("VolumeId")));
  if (volume.attachment !== undefined) {
    const message = `Volume ${volume.id} is currently attached to ${volume.attachment.instanceId}`;
    throw new ApiError("VolumeInUse", message);
  }
  if (volume.state === "creating") throw incorrectState(`The volume '${volume.id}' is in the 'creating' state.`);
  stopIfDryRun(call);
  if (volume.state === "deleting") return { return: true };
  await changeVolume(cloud, volume.id, { state: "deleting" });
  await cloud.transitions.start("DeleteVolume", (waitForDelay) => finishDeleting(cloud, volume.id, waitForDelay));
  return { return: true };
}

export async function finishDeleting(cloud: Cloud, id: VolumeId, waitForDelay: () => Promise<void>): Promise<void> {
  await cloud.storage.deleteVolume(id);
  await waitForDelay();
  cloud.state.volumes.delete(id);
  await cloud.state.commit();
}

/** @throws {ApiError} InvalidVolume.NotFound, also for another account's volume. */
export function ownVolume(call: Call, id: VolumeId): VolumeRecord {
  if (call.cloud.faults.holds.isHidden(id)) throw volumeNotFound(id);
  return knownVolume(call, id);
}

/** A volume that may still be invisible. */
function knownVolume(call: Call, id: VolumeId): VolumeRecord {
  const volume = call.cloud.state.volumes.get(id);
  if (volume === undefined || volume.ownerId !== call.caller.accountId || volume.region !== call.region) {
    throw volumeNotFound(id);
  }
  return volume;
}

export function ownVolumes({ cloud, caller, region }: Call): VolumeRecord[] {
  return cloud.state.volumes
    .values()
    .filter(
      ({ id, ownerId, region: home }) =>
        ownerId === caller.accountId && home === region && !cloud.faults.holds.isHidden(id),
    );
}

/** Writes a change of a volume, unless the volume is gone. Resolves when it is durable. */
export async function changeVolume(cloud: Cloud, id: VolumeId, change: Partial<VolumeRecord>): Promise<void> {
  const volume = cloud.state.volumes.get(id);
  if (volume !== undefined) cloud.state.volumes.put(id, { ...volume, ...change });
  await cloud.state.commit();
}

function requestedZone({ params, region }: Call): string {
  const name = params.string("AvailabilityZone");
  const id = params.string("AvailabilityZoneId");
  if (name === undefined && id === undefined) throw missingParameter("AvailabilityZone");
  const zone = zonesOf(region).find((candidate) =>
    name === undefined ? candidate.id === id : candidate.name === name,
  );
  if (zone === undefined) throw new ApiError("InvalidZone.NotFound", `The zone '${name ?? id}' does not exist.`);
  return zone.name;
}

function requestedSnapshot(call: Call): SnapshotRecord | undefined {
  const id = call.params.string("SnapshotId");
  return id === undefined ? undefined : snapshotForVolume(call, snapshotId(id));
}
