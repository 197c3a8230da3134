import { lookAtSnapshot } from "../../aws/look-at-snapshot.ts";
import { waitFor } from "../../aws/wait.ts";
import type { SnapshotId } from "../../base/ids.ts";
import type { BuildContext, StepProgress } from "../build-context.ts";
import type { Draft } from "../draft.ts";

/**
 * Waits until a snapshot can be used.
 *
 * @throws {ToolError} ERR_SNAPSHOT_FAILED if it never can.
 */
export async function waitForSnapshot(
  { ec2, polling, signal, clock }: BuildContext,
  { id }: Draft<SnapshotId>,
  { deadlineMs, progress }: { readonly deadlineMs: number; readonly progress: StepProgress },
): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    const { isCompleted, snapshot } = await lookAtSnapshot(ec2, id);
    if (isCompleted) return true;
    progress.tell(id, snapshot?.percent ?? 0);
    return undefined;
  };
  await waitFor(look, { what: `snapshot ${id} to be completed`, deadlineMs, polling, signal, clock });
}
