import type { SnapshotId } from "../../base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { hideIfStruck } from "../operations/call.ts";
import { earlierUse, oneOfTokenAtATime, rememberUse } from "../operations/client-tokens.ts";
import { now } from "../operations/cloud.ts";
import { newSnapshotId } from "../operations/resource-ids.ts";
import { removeSnapshot } from "../operations/snapshots.ts";
import { ApiError } from "../protocol/api-error.ts";
import { lineageOf, NO_PERMISSIONS, NO_VOLUME, type SnapshotRecord, type Tag } from "../state/records.ts";
import type { EbsAnswer, EbsCall } from "./ebs-call.ts";
import { invalid, missing, snapshotNotFound } from "./ebs-errors.ts";
import { flag, jsonBody, snapshotId, text, wholeNumber } from "./ebs-input.ts";
import { ownedSnapshot, readableSnapshot } from "./readable-snapshot.ts";
import { requestedTags } from "./requested-tags.ts";
import { planUploadEncryption } from "./upload-encryption.ts";
import { watchUpload } from "./upload-timeout.ts";

// StartSnapshot, "Timeout", "VolumeSize" and "Description".
const TIMEOUT_MINUTES = { min: 10, max: 4_320 };
const TIMEOUT_MINUTES_DEFAULT = 60;
const VOLUME_GIB_MAX = 65_536;
/** Service quota "Pending snapshots per account". */
const PENDING_MAX = 100;

interface StartRequest {
  readonly sizeGib: number;
  readonly parentId: SnapshotId | undefined;
  readonly tags: Tag[];
  readonly description: string;
  readonly encrypted: boolean | undefined;
  readonly kmsKeyArn: string | undefined;
  readonly timeoutMinutes: number;
}

export async function startSnapshot(call: EbsCall): Promise<EbsAnswer> {
  const members = await jsonBody(call);
  const token = text(members, "ClientToken", 255, /^\S+$/);
  const request = readRequest(members);
  return oneOfTokenAtATime(call, token, async () => {
    const fingerprint = JSON.stringify(request);
    const earlier = token === undefined ? undefined : earlierUse(call, token);
    if (earlier !== undefined) {
      if (earlier.fingerprint !== fingerprint) throw conflict();
      return answer(earlierSnapshot(call, earlier.resourceId as SnapshotId));
    }
    const snapshot = await start(call, request);
    if (token !== undefined) rememberUse(call, token, { fingerprint, resourceId: snapshot.id });
    return answer(snapshot);
  });
}

async function start(call: EbsCall, request: StartRequest): Promise<SnapshotRecord> {
  const { cloud, caller, region } = call;
  const { state } = cloud;
  const { sizeGib, parentId, description, encrypted, kmsKeyArn, tags, timeoutMinutes } = request;
  const parent = parentId === undefined ? undefined : parentSnapshot(call, parentId, sizeGib);
  const encryption = planUploadEncryption(call, { encrypted, kmsKeyArn, parent });
  refuseTooMany(call);
  const id = newSnapshotId();
  const snapshot: SnapshotRecord = {
    ...encryption,
    id,
    parentId,
    lineageId: parent === undefined ? undefined : lineageOf(parent),
    volumeId: NO_VOLUME,
    ownerId: caller.accountId,
    region,
    sequence: state.nextSequence(),
    sizeGib,
    description,
    startTime: now(cloud),
    productCodes: parent?.productCodes ?? [],
    permissions: NO_PERMISSIONS,
    tags,
    state: "writing",
    upload: { timeoutMinutes, isSealed: false },
  };
  state.snapshots.put(id, snapshot);
  await state.commit();
  try {
    const sizeBytes = sizeGib * GIB;
    await cloud.storage.startSnapshot(id, parentId === undefined ? { sizeBytes } : { sizeBytes, parentId });
  } catch (error) {
    await removeSnapshot(cloud, id);
    throw error;
  }
  hideIfStruck(call, id);
  const pending: SnapshotRecord = { ...snapshot, state: "pending" };
  state.snapshots.put(id, pending);
  watchUpload(cloud, id, timeoutMinutes);
  return pending;
}

function readRequest(members: Readonly<Record<string, unknown>>): StartRequest {
  const sizeGib = wholeNumber(members, "VolumeSize", { min: 1 });
  if (sizeGib === undefined) throw missing("volumeSize");
  if (sizeGib > VOLUME_GIB_MAX) {
    throw invalid("INVALID_VOLUME_SIZE", `The volume size ${sizeGib} GiB is larger than ${VOLUME_GIB_MAX} GiB.`);
  }
  const parent = text(members, "ParentSnapshotId", 64);
  return {
    sizeGib,
    parentId: parent === undefined ? undefined : snapshotId(parent, "parentSnapshotId"),
    tags: requestedTags(members["Tags"]),
    description: text(members, "Description", 255) ?? "",
    encrypted: flag(members, "Encrypted"),
    kmsKeyArn: text(members, "KmsKeyArn", 2048),
    timeoutMinutes: wholeNumber(members, "Timeout", TIMEOUT_MINUTES) ?? TIMEOUT_MINUTES_DEFAULT,
  };
}

/** Only an own snapshot can be a parent: the child's blocks are those of the same lineage and owner. */
function parentSnapshot(call: EbsCall, id: SnapshotId, sizeGib: number): SnapshotRecord {
  const parent = readableSnapshot(call, id);
  ownedSnapshot(call, id);
  if (sizeGib >= parent.sizeGib) return parent;
  const message = `The volume size ${sizeGib} GiB is smaller than the ${parent.sizeGib} GiB of the parent snapshot.`;
  throw invalid("INVALID_VOLUME_SIZE", message);
}

function refuseTooMany({ cloud, caller, region }: EbsCall): void {
  const pending = cloud.state.snapshots
    .values()
    .filter((snapshot) => snapshot.ownerId === caller.accountId && snapshot.region === region)
    .filter(({ state, upload }) => upload !== undefined && (state === "pending" || state === "writing"));
  if (pending.length < PENDING_MAX) return;
  const message = `The account has reached the limit of ${PENDING_MAX} pending snapshots.`;
  throw new ApiError("ConcurrentLimitExceededException", message);
}

function earlierSnapshot({ cloud }: EbsCall, id: SnapshotId): SnapshotRecord {
  const snapshot = cloud.state.snapshots.get(id);
  if (snapshot === undefined) throw snapshotNotFound(id);
  return snapshot;
}

function conflict(): ApiError {
  const message = "The client token was used for a request with other parameters.";
  return new ApiError("ConflictException", message, 409);
}

function answer(snapshot: SnapshotRecord): EbsAnswer {
  return {
    status: 201,
    body: {
      Description: snapshot.description || undefined,
      SnapshotId: snapshot.id,
      OwnerId: snapshot.ownerId,
      Status: snapshot.state,
      StartTime: Date.parse(snapshot.startTime) / 1000,
      VolumeSize: snapshot.sizeGib,
      BlockSize: SNAPSHOT_BLOCK_BYTES,
      Tags: snapshot.tags.map(({ key, value }) => ({ Key: key, Value: value })),
      ParentSnapshotId: snapshot.parentId,
      KmsKeyArn: snapshot.kmsKeyId,
    },
  };
}
