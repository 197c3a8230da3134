import { isNotFound } from "../aws/aws-error.ts";
import type { EbsApi } from "../aws/ebs-api.ts";
import type { Ec2Calls } from "../aws/ec2-api.ts";
import { lookAtSnapshot } from "../aws/look-at-snapshot.ts";
import { waitFor } from "../aws/wait.ts";
import type { Clock } from "../base/clock.ts";
import type { SnapshotId } from "../base/ids.ts";

// Seconds are usual.
const COMPLETED_DEADLINE_MS = 30 * 60_000;
// Seen after "completed": github.com/awslabs/coldsnap/issues/141
const LISTED_DEADLINE_MS = 2 * 60_000;

/**
 * Waits until a snapshot that was sealed can be read: until EC2 calls it completed, and EBS lists its blocks.
 *
 * @throws {ToolError} ERR_SNAPSHOT_FAILED if EBS gave it up.
 */
export async function waitUntilReadable(
  snapshotId: SnapshotId,
  options: {
    readonly ec2: Pick<Ec2Calls, "findSnapshot">;
    readonly ebs: EbsApi;
    readonly signal: AbortSignal;
    readonly clock: Clock;
  },
): Promise<void> {
  const { ec2, ebs, signal, clock } = options;
  await waitFor(async () => (await lookAtSnapshot(ec2, snapshotId)).isCompleted || undefined, {
    what: `snapshot ${snapshotId} to be completed`,
    deadlineMs: COMPLETED_DEADLINE_MS,
    signal,
    clock,
  });
  await waitUntilListed(snapshotId, { ebs, signal, clock });
}

/** Waits until EBS lists the blocks of a snapshot that is completed. */
export async function waitUntilListed(
  snapshotId: SnapshotId,
  { ebs, signal, clock }: { readonly ebs: EbsApi; readonly signal: AbortSignal; readonly clock: Clock },
): Promise<void> {
  await waitFor(() => isListed(snapshotId, ebs), {
    what: `EBS to list the blocks of ${snapshotId}`,
    deadlineMs: LISTED_DEADLINE_MS,
    signal,
    clock,
  });
}

async function isListed(snapshotId: SnapshotId, ebs: EbsApi): Promise<true | undefined> {
  try {
    for await (const _page of ebs.listSnapshotBlocks(snapshotId)) break;
    return true;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
