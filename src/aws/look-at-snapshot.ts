import { ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import type { Ec2Calls, Snapshot } from "./ec2-api.ts";

export interface SnapshotProgress {
  readonly isCompleted: boolean;
  /** Undefined while EC2 does not show the snapshot yet. */
  readonly snapshot: Snapshot | undefined;
}

/**
 * Looks how far a snapshot is.
 *
 * @throws {ToolError} ERR_SNAPSHOT_FAILED if it never will be completed.
 */
export async function lookAtSnapshot(
  ec2: Pick<Ec2Calls, "findSnapshot">,
  snapshotId: SnapshotId,
): Promise<SnapshotProgress> {
  const snapshot = await ec2.findSnapshot(snapshotId);
  if (snapshot !== undefined && snapshot.state !== "completed" && snapshot.state !== "pending") {
    const reason = snapshot.stateMessage ?? "no reason given";
    throw new ToolError(
      "ERR_SNAPSHOT_FAILED",
      `Cannot use snapshot "${snapshotId}": its state is ${snapshot.state}: ${reason}`,
    );
  }
  return { isCompleted: snapshot?.state === "completed", snapshot };
}
