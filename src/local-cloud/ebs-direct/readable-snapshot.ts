import type { SnapshotId } from "../../base/ids.ts";
import type { CallContext } from "../operations/call.ts";
import type { ApiError } from "../protocol/api-error.ts";
import type { SnapshotRecord, UploadRecord } from "../state/records.ts";
import { invalid, snapshotNotFound, unauthorizedAccount } from "./ebs-errors.ts";

/**
 * A snapshot whose blocks the caller may read: its own, or one that was shared with it by name. Public snapshots
 * cannot be read by others ("Frequently asked questions" of the EBS direct APIs).
 *
 * @throws {ApiError} ResourceNotFoundException, AccessDeniedException, ValidationException.
 */
export function readableSnapshot(call: CallContext, id: SnapshotId): SnapshotRecord {
  const snapshot = knownSnapshot(call, id);
  const { accountId } = call.caller;
  const isReadable = snapshot.ownerId === accountId || snapshot.permissions.userIds.includes(accountId);
  if (!isReadable) throw unauthorizedAccount(id);
  if (snapshot.state === "completed") return snapshot;
  throw invalid("INVALID_SNAPSHOT_ID", `The snapshot '${id}' is not in the completed state.`);
}

type WritableSnapshot = SnapshotRecord & { readonly upload: UploadRecord };

/**
 * A snapshot of the caller's that is being written.
 *
 * @throws {ApiError} ResourceNotFoundException, AccessDeniedException, ValidationException.
 */
export function writableSnapshot(call: CallContext, id: SnapshotId): WritableSnapshot {
  const snapshot = ownedSnapshot(call, id);
  const { state, upload } = snapshot;
  if (state === "pending" && upload?.isSealed === false) return { ...snapshot, upload };
  // What was put is gone.
  if (state === "error" && upload?.isSealed === false) {
    throw invalid("WRITE_REQUEST_TIMEOUT", `The snapshot '${id}' was not written to or completed in time.`);
  }
  throw notPending(id);
}

/** @throws {ApiError} ResourceNotFoundException, AccessDeniedException. */
export function ownedSnapshot(call: CallContext, id: SnapshotId): SnapshotRecord {
  const snapshot = knownSnapshot(call, id);
  if (snapshot.ownerId !== call.caller.accountId) throw unauthorizedAccount(id);
  return snapshot;
}

export function notPending(id: SnapshotId): ApiError {
  return invalid("INVALID_SNAPSHOT_ID", `The snapshot '${id}' is not in the pending state.`);
}

function knownSnapshot({ cloud, region }: CallContext, id: SnapshotId): SnapshotRecord {
  const snapshot = cloud.state.snapshots.get(id);
  const isKnown = snapshot !== undefined && snapshot.state !== "writing" && snapshot.region === region;
  if (!isKnown || cloud.faults.holds.isHidden(id)) throw snapshotNotFound(id);
  return snapshot;
}
