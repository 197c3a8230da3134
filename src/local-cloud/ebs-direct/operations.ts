import { completeSnapshot } from "./complete-snapshot.ts";
import type { EbsOperation } from "./ebs-call.ts";
import { getSnapshotBlock } from "./get-snapshot-block.ts";
import { listChangedBlocks } from "./list-changed-blocks.ts";
import { listSnapshotBlocks } from "./list-snapshot-blocks.ts";
import { putSnapshotBlock } from "./put-snapshot-block.ts";
import { startSnapshot } from "./start-snapshot.ts";

/** The actions of the EBS direct APIs (version 2019-11-02). */
export const EBS_OPERATIONS: Readonly<Record<string, EbsOperation>> = {
  CompleteSnapshot: { method: "POST", path: "/snapshots/completion/{snapshotId}", run: completeSnapshot },
  GetSnapshotBlock: { method: "GET", path: "/snapshots/{snapshotId}/blocks/{blockIndex}", run: getSnapshotBlock },
  ListChangedBlocks: { method: "GET", path: "/snapshots/{secondSnapshotId}/changedblocks", run: listChangedBlocks },
  ListSnapshotBlocks: { method: "GET", path: "/snapshots/{snapshotId}/blocks", run: listSnapshotBlocks },
  PutSnapshotBlock: {
    method: "PUT",
    path: "/snapshots/{snapshotId}/blocks/{blockIndex}",
    mayBeUnsigned: true,
    run: putSnapshotBlock,
  },
  StartSnapshot: { method: "POST", path: "/snapshots", run: startSnapshot },
};
