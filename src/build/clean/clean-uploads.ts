// Removes what interrupted uploads of files left. Whoever wants to go on with one does so before.
import type { EbsApi } from "../../aws/ebs-api.ts";
import type { SnapshotId } from "../../base/ids.ts";
import { isThisHost } from "../../linux/sandbox/process-identity.ts";
import { listUploads } from "../../snapshot-transfer/interrupted-uploads.ts";
import { type EarlierUpload, openUploadLog, type UploadLog } from "../../snapshot-transfer/upload-log.ts";
import { startPlan, type UploadRecord } from "../../snapshot-transfer/upload-record.ts";
import type { CleanOptions, PlaceConnection } from "./clean-builds.ts";
import type { CleanSummary } from "./clean-events.ts";

/** A way to the account or the local cloud of an upload. */
export interface UploadPlaceConnection extends PlaceConnection {
  ebs(): Promise<EbsApi>;
}

export interface CleanUploadsOptions
  extends Pick<CleanOptions, "isDryRun" | "olderThanMs" | "signal" | "clock" | "emit"> {
  readonly uploadDirectory: string;
  readonly connect: (place: UploadRecord["place"]) => Promise<UploadPlaceConnection | undefined>;
}

/**
 * Deletes the pending snapshots of uploads that nobody works on, and their logs. May run any number of times, and beside
 * itself.
 *
 * @throws {ToolError} if the logs cannot be read, or the signal's reason.
 */
export async function cleanUploads(options: CleanUploadsOptions): Promise<CleanSummary> {
  const { uploadDirectory, signal, clock, emit } = options;
  const summary = { removed: 0, failed: 0, dead: 0, running: 0, leftAlone: 0 };
  for (const buildId of await listUploads(uploadDirectory)) {
    signal.throwIfAborted();
    await using log = await openUploadLog(uploadDirectory, buildId);
    if (log === undefined) {
      summary.running++;
      emit({ type: "build", buildId, state: "running" });
      continue;
    }
    const { earlier } = log;
    if (earlier === undefined) {
      // It never came to start anything.
      await log.remove();
      continue;
    }
    const { record } = earlier;
    const about = { buildName: "upload", template: record.file.path, startTime: record.startTime, host: record.host };
    if (!(await isThisHost(record))) {
      summary.leftAlone++;
      emit({ type: "build", buildId, state: "elsewhere", ...about });
    } else if (Math.max(0, clock.now() - Date.parse(record.startTime)) < options.olderThanMs) {
      summary.leftAlone++;
    } else {
      summary.dead++;
      emit({ type: "build", buildId, state: "dead", ...about });
      const { removed, failed } = await cleanUpload(buildId, { log, earlier }, options);
      summary.removed += removed;
      summary.failed += failed;
    }
  }
  return summary;
}

async function cleanUpload(
  buildId: string,
  { log, earlier }: { readonly log: UploadLog; readonly earlier: EarlierUpload },
  { connect, isDryRun, signal, emit }: CleanUploadsOptions,
): Promise<{ removed: number; failed: number }> {
  let removed = 0;
  try {
    await using connection = await connect(earlier.record.place);
    const id = connection === undefined ? undefined : await findPending(earlier, connection, isDryRun);
    if (connection !== undefined && id?.isKept) {
      emit({ type: "kept", buildId, imageId: undefined, snapshotIds: [id.snapshotId] });
    } else if (connection !== undefined && id !== undefined) {
      if (!isDryRun) await connection.ec2.releasing.deleteSnapshot(id.snapshotId);
      removed++;
      emit({ type: isDryRun ? "would-remove" : "removed", buildId, kind: "snapshot", id: id.snapshotId });
    }
    if (!isDryRun) await log.remove();
    return { removed, failed: 0 };
  } catch (error) {
    signal.throwIfAborted();
    emit({ type: "failed", buildId, kind: "snapshot", id: earlier.snapshotId ?? UNKNOWN_ID, error });
    return { removed, failed: 1 };
  }
}

const UNKNOWN_ID = "(of unknown id)";

/** @returns undefined if it is gone. One that is complete is its owner's. */
async function findPending(
  { record, snapshotId }: EarlierUpload,
  { ec2, ebs }: UploadPlaceConnection,
  isDryRun: boolean,
): Promise<{ readonly snapshotId: SnapshotId; readonly isKept: boolean } | undefined> {
  if (snapshotId === undefined && isDryRun) return { snapshotId: UNKNOWN_ID as SnapshotId, isKept: false };
  // The answer was lost: with the same token EBS tells which one it was, or makes one, which then goes.
  const id = snapshotId ?? (await (await ebs()).startSnapshot(startPlan(record))).snapshotId;
  const state = (await ec2.findSnapshot(id))?.state;
  if (state === undefined && snapshotId !== undefined) return undefined;
  return { snapshotId: id, isKept: state === "completed" };
}

/**
 * Drops the log of an upload whose place or host is gone for good.
 *
 * @returns false if there is none that nobody works on.
 */
export async function forgetUpload(directory: string, id: string): Promise<boolean> {
  if (!(await listUploads(directory)).includes(id)) return false;
  await using log = await openUploadLog(directory, id);
  await log?.remove();
  return log !== undefined;
}
