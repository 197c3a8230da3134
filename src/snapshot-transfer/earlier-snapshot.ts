// The snapshot of an upload that was interrupted: which one it was, and what became of it.
import { hasCode, hasReason, isNotFound } from "../aws/aws-error.ts";
import type { EbsApi } from "../aws/ebs-api.ts";
import type { Ec2Calls } from "../aws/ec2-api.ts";
import { waitFor } from "../aws/wait.ts";
import type { Clock } from "../base/clock.ts";
import { writtenBlocks } from "./upload-blocks.ts";
import type { StartedUpload, UploadLog } from "./upload-log.ts";
import { startPlan, type UploadRecord } from "./upload-record.ts";

/**
 * Where nobody learnt the id: with the same token EBS tells which snapshot it was, or makes one. It is in the log then.
 *
 * @returns undefined if it is gone.
 */
export async function learnSnapshot(
  log: UploadLog,
  record: UploadRecord,
  { ebs, clock }: { readonly ebs: Pick<EbsApi, "startSnapshot">; readonly clock: Clock },
): Promise<StartedUpload | undefined> {
  try {
    const { snapshotId } = await ebs.startSnapshot(startPlan(record));
    return await log.started(snapshotId, clock.now());
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Until when, by the clock, EC2 may hide a snapshot. From now at the latest: the clock may have been set back since. */
export function visibleBy({ startMs }: StartedUpload, visibleWithinMs: number, clock: Clock): number {
  return Math.min(startMs, clock.now()) + visibleWithinMs;
}

/** @returns what EC2 says; undefined if the snapshot is gone, which is not believed of one that was just started. */
export async function findState(
  started: StartedUpload,
  options: {
    readonly ec2: Pick<Ec2Calls, "findSnapshot">;
    readonly visibleWithinMs: number;
    readonly signal: AbortSignal;
    readonly clock: Clock;
  },
): Promise<string | undefined> {
  const { ec2, visibleWithinMs, signal, clock } = options;
  const { snapshotId } = started;
  const lookUntilMs = visibleBy(started, visibleWithinMs, clock);
  const { state } = await waitFor(
    async () => {
      const found = (await ec2.findSnapshot(snapshotId))?.state;
      return found !== undefined || clock.now() >= lookUntilMs ? { state: found } : undefined;
    },
    { what: `snapshot ${snapshotId} to show up`, deadlineMs: 2 * visibleWithinMs, signal, clock },
  );
  return state;
}

/**
 * Whether a snapshot that EC2 calls pending was sealed: EC2 learns it later. Its log says that it was about to be, so all
 * that it is to hold is in it, and sealing it again settles it.
 */
export async function isSealed(
  { snapshotId, blocks }: StartedUpload,
  ebs: Pick<EbsApi, "completeSnapshot">,
): Promise<boolean> {
  if (!blocks.isEnded) return false;
  try {
    await ebs.completeSnapshot(snapshotId, writtenBlocks(blocks.sorted()));
    return true;
  } catch (error) {
    if (!hasCode(error, "ValidationException")) throw error;
    // It is pending no more; for any other reason it never was sealed.
    return hasReason(error, "INVALID_SNAPSHOT_ID");
  }
}
