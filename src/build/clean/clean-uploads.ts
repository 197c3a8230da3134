// Removes what interrupted uploads of files left. Whoever wants to go on with one does so before.
import type { EbsApi } from "../../aws/ebs-api.ts";
import { isThisHost } from "../../linux/sandbox/process-identity.ts";
import { findState, isSealed, learnSnapshot, visibleBy } from "../../snapshot-transfer/earlier-snapshot.ts";
import { listUploads } from "../../snapshot-transfer/interrupted-uploads.ts";
import { type EarlierUpload, openUploadLog, type UploadLog } from "../../snapshot-transfer/upload-log.ts";
import type { UploadRecord } from "../../snapshot-transfer/upload-record.ts";
import { removeResource } from "../draft.ts";
import type { CleanOptions, PlaceConnection } from "./clean-builds.ts";
import type { CleanSummary } from "./clean-events.ts";

/** A way to the account or the local cloud of an upload. */
export interface UploadPlaceConnection extends PlaceConnection {
  ebs(): Promise<EbsApi>;
}

export interface CleanUploadsOptions
  extends Pick<CleanOptions, "isDryRun" | "olderThanMs" | "settleMs" | "signal" | "clock" | "emit"> {
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

interface DeadUpload {
  readonly log: UploadLog;
  readonly earlier: EarlierUpload;
}

async function cleanUpload(
  buildId: string,
  upload: DeadUpload,
  options: CleanUploadsOptions,
): Promise<{ removed: number; failed: number }> {
  const { log, earlier } = upload;
  const { connect, isDryRun, signal, emit } = options;
  let removed = 0;
  try {
    await using connection = await connect(earlier.record.place);
    const left = connection && (await findLeft(upload, connection, options));
    if (left?.isKept) {
      emit({ type: "kept", buildId, imageId: undefined, snapshotIds: [left.id] });
    } else if (left !== undefined && (await left.remove())) {
      removed++;
      emit({ type: isDryRun ? "would-remove" : "removed", buildId, kind: "snapshot", id: left.id });
    }
    if (!isDryRun) await log.remove();
    return { removed, failed: 0 };
  } catch (error) {
    signal.throwIfAborted();
    emit({ type: "failed", buildId, kind: "snapshot", id: earlier.started?.snapshotId ?? UNKNOWN_ID, error });
    return { removed, failed: 1 };
  }
}

const UNKNOWN_ID = "(of unknown id)";

/** The snapshot that an upload left. */
interface LeftSnapshot {
  readonly id: string;
  /** One that was sealed is its owner's. */
  readonly isKept: boolean;
  /** @returns whether it was there. A dry run does not touch it. */
  remove(): Promise<boolean>;
}

/** @returns undefined if it is gone. */
async function findLeft(
  { log, earlier: { record, started: known } }: DeadUpload,
  { ec2, ebs }: UploadPlaceConnection,
  { isDryRun, settleMs, signal, clock }: CleanUploadsOptions,
): Promise<LeftSnapshot | undefined> {
  if (known === undefined && isDryRun) return { id: UNKNOWN_ID, isKept: false, remove: async () => true };
  const started = known ?? (await learnSnapshot(log, record, { ebs: await ebs(), clock }));
  const state = started && (await findState(started, { ec2, visibleWithinMs: settleMs, signal, clock }));
  if (started === undefined || state === undefined) return undefined;
  const id = started.snapshotId;
  const visibleByMs = visibleBy(started, settleMs, clock);
  const remove = () => removeResource(ec2.releasing, { kind: "snapshot", id, visibleByMs, clock, signal });
  // A dry run does not seal it again to be sure.
  const isEnded = state === "pending" && (isDryRun ? started.blocks.isEnded : await isSealed(started, await ebs()));
  return { id, isKept: state === "completed" || isEnded, remove: isDryRun ? async () => true : remove };
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
