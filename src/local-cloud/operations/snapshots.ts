import type { SnapshotId } from "../../base/ids.ts";
import { GIB } from "../../base/units.ts";
import { ApiError, incorrectState, invalidValue } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import { NO_PERMISSIONS, type SnapshotRecord, type VolumeRecord } from "../state/records.ts";
import type { SnapshotContent } from "../storage/disk-storage.ts";
import { type Call, stopIfDryRun } from "./call.ts";
import { type Cloud, now } from "./cloud.ts";
import { planEncryption } from "./encryption.ts";
import { applyFilters, type FilterTable, NEVER } from "./filters.ts";
import { type PageLimits, pageOf } from "./pages.ts";
import { isPermitted } from "./permissions.ts";
import { isRegion } from "./regions.ts";
import { newSnapshotId, snapshotId, snapshotNotFound, volumeId } from "./resource-ids.ts";
import { tagSet, tagSpecifications } from "./tag-rules.ts";
import { ownVolume } from "./volumes.ts";

/** DescribeSnapshots, "MaxResults": 5 to 1,000. */
const PAGES: PageLimits = { min: 5, max: 1_000, idsName: "snapshotSet" };

/** CreateSnapshot and CopySnapshot, "Description": up to 255 characters. */
const DESCRIPTION_LENGTH_MAX = 255;

/** What a snapshot that was copied says of its volume (CopySnapshot: "an arbitrary volume ID"). */
const NO_VOLUME = "vol-ffffffff";

/** Service quotas "Concurrent snapshots per … volume": 1 for st1 and sc1, 5 for the others. */
function pendingSnapshotsMax({ type }: VolumeRecord): number {
  return type === "st1" || type === "sc1" ? 1 : 5;
}

export async function createSnapshot(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
  const volume = ownVolume(call, volumeId(params.required("VolumeId")));
  if (volume.state !== "available" && volume.state !== "in-use") {
    throw incorrectState(`Volume '${volume.id}' is in the '${volume.state}' state.`);
  }
  const pending = cloud.state.snapshots
    .values()
    .filter(({ volumeId, state }) => volumeId === volume.id && state === "pending");
  if (pending.length >= pendingSnapshotsMax(volume)) {
    const message = "Maximum allowed in-progress snapshots for a single volume exceeded.";
    throw new ApiError("ConcurrentSnapshotLimitExceeded", message);
  }
  const description = requestedDescription(call);
  const tags = tagSpecifications(params, ["snapshot"]).get("snapshot") ?? [];
  stopIfDryRun(call);
  const { encrypted, kmsKeyId, sizeGib, productCodes } = volume;
  const planned = newSnapshot(call, {
    volumeId: volume.id,
    sizeGib,
    description,
    encrypted,
    kmsKeyId,
    productCodes,
    tags,
  });
  return writeSnapshot(cloud, planned, "CreateSnapshot", (id) => cloud.storage.createSnapshot(id, volume.id));
}

export async function copySnapshot(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
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
  await writeSnapshot(cloud, planned, "CopySnapshot", (id) => cloud.storage.copySnapshot(id, source.id));
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

export async function deleteSnapshot(call: Call): Promise<XmlObject> {
  const snapshot = ownSnapshot(call, snapshotId(call.params.required("SnapshotId")));
  const user = imageUsing(call.cloud, snapshot.id);
  if (user !== undefined) {
    throw new ApiError("InvalidSnapshot.InUse", `The snapshot ${snapshot.id} is currently in use by ${user}`);
  }
  stopIfDryRun(call);
  await removeSnapshot(call.cloud, snapshot.id);
  return { return: true };
}

/** The record goes first: content without a record is garbage, a record without content would be a lie. */
export async function removeSnapshot(cloud: Cloud, id: SnapshotId): Promise<void> {
  cloud.state.snapshots.delete(id);
  await cloud.state.commit();
  await cloud.storage.deleteSnapshot(id);
}

export function imageUsing({ state }: Cloud, id: SnapshotId): string | undefined {
  return state.images.values().find(({ mappings }) => mappings.some(({ ebs }) => ebs?.snapshotId === id))?.id;
}

export function describeSnapshots(call: Call): XmlObject {
  const { params, cloud } = call;
  const ids = params.list("SnapshotId");
  const asked = ids.length > 0 ? ids.map((id) => visibleSnapshot(call, snapshotId(id))) : visibleSnapshots(call);
  const scoped = asked.filter((snapshot) => isOwnedByAsked(call, snapshot) && isRestorableByAsked(call, snapshot));
  const filtered = applyFilters(scoped, params, filters(cloud));
  const page = pageOf(filtered, params, PAGES, ids.length > 0);
  return { snapshotSet: page.items.map((snapshot) => snapshotFields(cloud, snapshot)), nextToken: page.nextToken };
}

/** A snapshot that the caller may make a volume from. @throws {ApiError} InvalidSnapshot.NotFound, IncorrectState. */
export function snapshotForVolume(call: Call, id: SnapshotId): SnapshotRecord {
  const snapshot = visibleSnapshot(call, id);
  if (snapshot.state !== "completed") throw incorrectState(`Snapshot is in invalid state - ${snapshot.state}`);
  return snapshot;
}

/** @throws {ApiError} InvalidSnapshot.NotFound; UnauthorizedOperation for one that was only shared with the caller. */
export function ownSnapshot(call: Call, id: SnapshotId): SnapshotRecord {
  const snapshot = visibleSnapshot(call, id);
  if (snapshot.ownerId === call.caller.accountId) return snapshot;
  throw new ApiError("UnauthorizedOperation", "You are not authorized to perform this operation.", 403);
}

function visibleSnapshot(call: Call, id: SnapshotId): SnapshotRecord {
  const snapshot = call.cloud.state.snapshots.get(id);
  if (snapshot === undefined || !isVisible(call, snapshot)) throw snapshotNotFound(id);
  return snapshot;
}

function visibleSnapshots(call: Call): SnapshotRecord[] {
  return call.cloud.state.snapshots.values().filter((snapshot) => isVisible(call, snapshot));
}

function isVisible({ caller, region }: Call, { ownerId, permissions, state, region: home }: SnapshotRecord): boolean {
  return (
    state !== "writing" &&
    home === region &&
    (ownerId === caller.accountId || isPermitted(permissions, caller.accountId))
  );
}

function isOwnedByAsked({ params, caller }: Call, { ownerId }: SnapshotRecord): boolean {
  const owners = params.list("Owner").map((owner) => (owner === "self" ? caller.accountId : owner));
  return owners.length === 0 || owners.includes(ownerId);
}

function isRestorableByAsked({ params, caller }: Call, { ownerId, permissions }: SnapshotRecord): boolean {
  const users = params.list("RestorableBy").map((user) => (user === "self" ? caller.accountId : user));
  if (users.length === 0) return true;
  return users.some((user) => {
    if (user === "all") return permissions.groups.includes("all");
    return user === ownerId || permissions.userIds.includes(user);
  });
}

function requestedDescription({ params }: Call): string {
  const description = params.text("Description") ?? "";
  if (description.length <= DESCRIPTION_LENGTH_MAX) return description;
  throw invalidValue(description, "description", `It can have up to ${DESCRIPTION_LENGTH_MAX} characters.`);
}

type SnapshotPlan = Pick<
  SnapshotRecord,
  "volumeId" | "sizeGib" | "description" | "encrypted" | "kmsKeyId" | "productCodes" | "tags"
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
  cloud: Cloud,
  snapshot: SnapshotRecord,
  kind: "CreateSnapshot" | "CopySnapshot",
  write: (id: SnapshotId) => Promise<SnapshotContent>,
): Promise<XmlObject> {
  const startedAtMs = cloud.clock.now();
  const pending = await storeContent(cloud, snapshot, write);
  cloud.state.snapshots.put(pending.id, pending);
  await cloud.state.commit();
  const answer = snapshotFields(cloud, pending);
  await cloud.transitions.start(kind, async (waitForDelay, delayMs) => {
    const endsAtMs = startedAtMs + delayMs;
    cloud.progress.set(pending.id, { startedAtMs, endsAtMs });
    await waitForDelay();
    await completeSnapshot(cloud, pending.id);
  });
  return answer;
}

/** Writes the content under a record that nobody sees. @returns the record that the caller is to put in its place. */
async function storeContent(
  cloud: Cloud,
  snapshot: SnapshotRecord,
  write: (id: SnapshotId) => Promise<SnapshotContent>,
): Promise<SnapshotRecord> {
  cloud.state.snapshots.put(snapshot.id, snapshot);
  await cloud.state.commit();
  try {
    const { sizeBytes } = await write(snapshot.id);
    return { ...snapshot, state: "pending", sizeGib: snapshot.sizeGib || Math.ceil(sizeBytes / GIB) };
  } catch (error) {
    await removeSnapshot(cloud, snapshot.id);
    throw error;
  }
}

/** Ends "pending". Also what an opened store does: the content was there before the answer. */
export async function completeSnapshot(cloud: Cloud, id: SnapshotId): Promise<void> {
  const snapshot = cloud.state.snapshots.get(id);
  cloud.progress.delete(id);
  if (snapshot === undefined) return;
  cloud.state.snapshots.put(id, { ...snapshot, state: "completed", completionTime: now(cloud) });
  await cloud.state.commit();
}

/** "37%": how much of its time a pending snapshot has had. */
function progressOf(cloud: Cloud, { id, state }: SnapshotRecord): string {
  if (state === "completed") return "100%";
  const progress = cloud.progress.get(id);
  if (progress === undefined) return "0%";
  const share = (cloud.clock.now() - progress.startedAtMs) / (progress.endsAtMs - progress.startedAtMs);
  return `${Math.floor(Math.min(Math.max(share, 0), 0.99) * 100)}%`;
}

function snapshotFields(cloud: Cloud, snapshot: SnapshotRecord): XmlObject {
  return {
    snapshotId: snapshot.id,
    volumeId: snapshot.volumeId,
    status: snapshot.state,
    startTime: snapshot.startTime,
    completionTime: snapshot.completionTime,
    // EC2 answers CreateSnapshot with an empty progress; the SDK and the CLI both take it.
    progress: progressOf(cloud, snapshot),
    ownerId: snapshot.ownerId,
    volumeSize: snapshot.sizeGib,
    description: snapshot.description,
    encrypted: snapshot.encrypted,
    kmsKeyId: snapshot.kmsKeyId,
    storageTier: "standard",
    tagSet: tagSet(snapshot.tags),
  };
}

/** DescribeSnapshots, "Filter.N". */
function filters(cloud: Cloud): FilterTable<SnapshotRecord> {
  return {
    description: ({ description }) => description,
    encrypted: ({ encrypted }) => encrypted,
    "owner-alias": NEVER,
    "owner-id": ({ ownerId }) => ownerId,
    progress: (snapshot) => progressOf(cloud, snapshot),
    "snapshot-id": ({ id }) => id,
    "start-time": ({ startTime }) => startTime,
    status: ({ state }) => state,
    "storage-tier": () => "standard",
    "transfer-type": NEVER,
    "volume-id": ({ volumeId }) => volumeId,
    "volume-size": ({ sizeGib }) => sizeGib,
  };
}
