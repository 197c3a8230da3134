import type { SnapshotId } from "../../base/ids.ts";
import { ApiError, incorrectState } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { SnapshotRecord } from "../state/records.ts";
import { type Call, stopIfDryRun } from "./call.ts";
import type { Cloud } from "./cloud.ts";
import { applyFilters, type FilterTable, NEVER } from "./filters.ts";
import { type PageLimits, pageOf } from "./pages.ts";
import { isPermitted } from "./permissions.ts";
import { snapshotId, snapshotNotFound } from "./resource-ids.ts";
import { tagSet } from "./tag-rules.ts";
import { endUpload } from "./uploads.ts";

/** DescribeSnapshots, "MaxResults": 5 to 1,000. */
const PAGES: PageLimits = { min: 5, max: 1_000, idsName: "snapshotSet" };

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
  endUpload(cloud, id);
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

function isVisible({ caller, region, cloud }: Call, snapshot: SnapshotRecord): boolean {
  const { id, ownerId, permissions, state, region: home } = snapshot;
  return (
    state !== "writing" &&
    !cloud.faults.holds.isHidden(id) &&
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

/** "37%": how much of its time a pending snapshot has had, or what its writer says. */
function progressOf(cloud: Cloud, { id, state }: SnapshotRecord): string {
  if (state === "completed") return "100%";
  const upload = cloud.uploads.get(id);
  if (upload !== undefined) return `${Math.min(upload.progressPercent, 99)}%`;
  const progress = cloud.progress.get(id);
  if (progress === undefined) return "0%";
  const share = (cloud.clock.now() - progress.startedAtMs) / (progress.endsAtMs - progress.startedAtMs);
  return `${Math.floor(Math.min(Math.max(share, 0), 0.99) * 100)}%`;
}

export function snapshotFields(cloud: Cloud, snapshot: SnapshotRecord): XmlObject {
  return {
    snapshotId: snapshot.id,
    volumeId: snapshot.volumeId,
    status: snapshot.state,
    startTime: snapshot.startTime,
    completionTime: snapshot.completionTime,
    statusMessage: snapshot.stateMessage,
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
