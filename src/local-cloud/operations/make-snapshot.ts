import type { SnapshotId } from "../../base/ids.ts";
import { GIB } from "../../base/units.ts";
import { ApiError, incorrectState, invalidValue } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import { NO_PERMISSIONS, NO_VOLUME, type SnapshotRecord, type VolumeRecord } from "../state/records.ts";
import type { SnapshotContent } from "../storage/disk-storage.ts";
import { type Call, hideIfStruck, stopIfDryRun } from "./call.ts";
import { type Cloud, now } from "./cloud.ts";
import { planEncryption } from "./encryption.ts";
import { isRegion } from "./regions.ts";
import { newSnapshotId, snapshotId, snapshotNotFound, volumeId } from "./resource-ids.ts";
import { refuseWithoutRoom } from "./room.ts";
import { removeSnapshot, snapshotFields, snapshotForVolume } from "./snapshots.ts";
import { tagSet, tagSpecifications } from "./tag-rules.ts";
import { ownVolume } from "./volumes.ts";

/** CreateSnapshot and CopySnapshot, "Description": up to 255 characters. */
const DESCRIPTION_LENGTH_MAX = 255;

/** Service quotas "Concurrent snapshots per … volume": 1 for st1 and sc1, 5 for the others. */
function pendingSnapshotsMax({ type }: VolumeRecord): number {
  return type === "st1" || type === "sc1" ? 1 : 5;
}

export async function createSnapshot(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
  await refuseWithoutRoom(call);
  const volume = ownVolume(call, volumeId(params.required("VolumeId")));
  if (volume.state !== "available" && volume.state !== "in-use") {
    throw incorrectState(`Volume '${volume.id}' is in the '${volume.state}' state.`);
  }
  const pending = cloud.state.snapshots
    .values()
    .filter(({ volumeId, state }) => volumeId === volume.id && (state === "pending" || state === "writing"));
  if (pending.length >= pendingSnapshotsMax(volume)) {
    const message = "Maximum allowed in-progress snapshots for a single volume exceeded.";
    throw new ApiError("ConcurrentSnapshotLimitExceeded", message);
  }
  const description = requestedDescription(call);
  const tags = tagSpecifications(params, ["snapshot"]).get("snapshot") ?? [];
  stopIfDryRun(call);
  const { encrypted, kmsKeyId, sizeGib, productCodes, lineageId } = volume;
  const planned = newSnapshot(call, {
    volumeId: volume.id,
    sizeGib,
    description,
    encrypted,
    kmsKeyId,
    productCodes,
    lineageId,
    tags,
  });
  return writeSnapshot(call, planned, "CreateSnapshot", (id) => cloud.storage.createSnapshot(id, volume.id));
}

export async function copySnapshot(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
  await refuseWithoutRoom(call);
  const sourceRegion = params.required("SourceRegion");
  if (!isRegion(sourceRegion)) throw invalidValue(sourceRegion, "sourceRegion", "It is not the name of a region.");
  const sourceCall = { ...call, region: sourceRegion };
  const source = snapshotForVolume(sourceCall, snapshotId(params.required("SourceSnapshotId"), "sourceSnapshotId"));
  if (source.productCodes.some(({ type }) => type === "marketplace") && source.ownerId !== call.caller.accountId) {
    throw new ApiError(
      "OperationNotPermitted",
      `The snapshot '${source.id}' has Marketplace codes and may not be copied.`,
    );
  }
  const requested = { encrypted: params.boolean("Encrypted"), kmsKeyId: params.string("KmsKeyId"), source };
  // A key belongs to its region: a copy elsewhere is encrypted with the key of that place.
  const isElsewhere = sourceRegion !== call.region;
  const encryption = planEncryption(call, {
    ...requested,
    source: isElsewhere ? { encrypted: source.encrypted } : source,
  });
  const description = requestedDescription(call);
  const tags = tagSpecifications(params, ["snapshot"]).get("snapshot") ?? [];
  stopIfDryRun(call);
  const { sizeGib, productCodes } = source;
  const planned = newSnapshot(call, { ...encryption, volumeId: NO_VOLUME, sizeGib, description, productCodes, tags });
  await writeSnapshot(call, planned, "CopySnapshot", (id) => cloud.storage.copySnapshot(id, source.id));
  return { snapshotId: planned.id, tagSet: tagSet(tags) };
}

/**
 * Copies a snapshot for CopyImage, which waits for its image and not for this.
 *
 * @returns the record, complete; see `completeRecord`.
 */
export function copyForImage(
  call: Call,
  sourceId: SnapshotId,
  plan: Pick<SnapshotPlan, "encrypted" | "kmsKeyId" | "description" | "tags">,
): Promise<SnapshotRecord> {
  const { cloud } = call;
  const source = cloud.state.snapshots.get(sourceId);
  if (source === undefined) throw snapshotNotFound(sourceId);
  const { sizeGib, productCodes } = source;
  const planned = newSnapshot(call, { ...plan, volumeId: NO_VOLUME, sizeGib, productCodes });
  return completeRecord(cloud, planned, (id) => cloud.storage.copySnapshot(id, sourceId));
}

/** Makes a snapshot of content from outside. @returns the record, complete; see `completeRecord`. */
export function snapshotOfContent(
  call: Call,
  description: string,
  write: (id: SnapshotId) => Promise<SnapshotContent>,
): Promise<SnapshotRecord> {
  const blank = { volumeId: NO_VOLUME, encrypted: false, kmsKeyId: undefined, productCodes: [], tags: [] };
  return completeRecord(call.cloud, newSnapshot(call, { ...blank, description, sizeGib: 0 }), write);
}

/**
 * Stores the content of a snapshot that has no "pending" of its own.
 *
 * The record is not in the state yet: the caller puts it there in one transaction
 * with the image that needs it, so that a crash leaves both or none.
 */
async function completeRecord(
  cloud: Cloud,
  planned: SnapshotRecord,
  write: (id: SnapshotId) => Promise<SnapshotContent>,
): Promise<SnapshotRecord> {
  const stored = await storeContent(cloud, planned, write);
  return { ...stored, state: "completed", completionTime: now(cloud) };
}

function requestedDescription({ params }: Call): string {
  const description = params.text("Description") ?? "";
  if (description.length <= DESCRIPTION_LENGTH_MAX) return description;
  throw invalidValue(description, "description", `It can have up to ${DESCRIPTION_LENGTH_MAX} characters.`);
}

type SnapshotPlan = Pick<
  SnapshotRecord,
  "volumeId" | "sizeGib" | "description" | "encrypted" | "kmsKeyId" | "productCodes" | "lineageId" | "tags"
>;

function newSnapshot(
  { cloud, caller, region }: Pick<Call, "cloud" | "caller" | "region">,
  plan: SnapshotPlan,
): SnapshotRecord {
  return {
    ...plan,
    id: newSnapshotId(),
    ownerId: caller.accountId,
    region,
    sequence: cloud.state.nextSequence(),
    startTime: now(cloud),
    permissions: NO_PERMISSIONS,
    state: "writing",
  };
}

/**
 * Stores the content before the call is answered, so that the snapshot is of this
 * moment whatever happens to the volume afterwards. "pending" is then only time.
 */
async function writeSnapshot(
  call: Call,
  snapshot: SnapshotRecord,
  kind: "CreateSnapshot" | "CopySnapshot",
  write: (id: SnapshotId) => Promise<SnapshotContent>,
): Promise<XmlObject> {
  const { cloud, faults } = call;
  const startedAtMs = cloud.clock.now();
  const pending = await storeContent(cloud, snapshot, write);
  hideIfStruck(call, pending.id);
  cloud.state.snapshots.put(pending.id, pending);
  await cloud.state.commit();
  const answer = snapshotFields(cloud, pending);
  const failure = faults.effect("snapshot-error");
  const complete = async (waitForDelay: () => Promise<void>, endsAtMs: number) => {
    cloud.progress.set(pending.id, { startedAtMs, endsAtMs });
    await waitForDelay();
    if (failure === undefined) await completeSnapshot(cloud, pending.id);
    else await failSnapshot(cloud, pending.id, failure.message);
  };
  await cloud.transitions.start(kind, complete, startedAtMs);
  return answer;
}

/** Writes the content under a record that nobody sees. @returns the record that the caller is to put in its place. */
async function storeContent(
  cloud: Cloud,
  snapshot: SnapshotRecord,
  write: (id: SnapshotId) => Promise<SnapshotContent>,
): Promise<SnapshotRecord> {
  cloud.state.snapshots.put(snapshot.id, snapshot);
  try {
    await cloud.state.commit();
    const { sizeBytes, blockCount } = await write(snapshot.id);
    return { ...snapshot, blockCount, state: "pending", sizeGib: snapshot.sizeGib || Math.ceil(sizeBytes / GIB) };
  } catch (error) {
    await removeSnapshot(cloud, snapshot.id).catch((cause) => cloud.report(`Cannot undo "${snapshot.id}"`, cause));
    throw error;
  }
}

/** Ends "pending". Also what an opened store does: the content was there before the answer. */
export function completeSnapshot(cloud: Cloud, id: SnapshotId): Promise<void> {
  return endPending(cloud, id, { state: "completed", completionTime: now(cloud), upload: undefined });
}

export function failSnapshot(
  cloud: Cloud,
  id: SnapshotId,
  stateMessage = "An internal error has occurred",
): Promise<void> {
  return endPending(cloud, id, { state: "error", stateMessage });
}

async function endPending(cloud: Cloud, id: SnapshotId, end: Partial<SnapshotRecord>): Promise<void> {
  const snapshot = cloud.state.snapshots.get(id);
  cloud.progress.delete(id);
  if (snapshot === undefined) return;
  cloud.state.snapshots.put(id, { ...snapshot, ...end });
  await cloud.state.commit();
}
