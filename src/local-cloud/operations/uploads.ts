import type { SnapshotId } from "../../base/ids.ts";
import type { BlockHash } from "../storage/block-medium.ts";
import type { Cloud } from "./cloud.ts";

/** What a cloud keeps in mind of a snapshot that is written block by block, while it runs. */
export interface Upload {
  /** Milliseconds since the epoch; at first, of the start. */
  lastWriteAtMs: number;
  /** How far the client says it is. */
  progressPercent: number;
  /** Puts under way, by index. */
  readonly writing: Map<number, BlockHash>;
  /** Aborts when it is not written any more. */
  readonly ended: AbortController;
}

export function beginUpload({ uploads, clock }: Cloud, id: SnapshotId): Upload {
  const upload = { lastWriteAtMs: clock.now(), progressPercent: 0, writing: new Map(), ended: new AbortController() };
  uploads.set(id, upload);
  return upload;
}

/** Nothing is written any more: the snapshot is sealed, deleted, or in "error". */
export function endUpload({ uploads }: Cloud, id: SnapshotId): void {
  uploads.get(id)?.ended.abort(new Error(`snapshot "${id}" is not written any more`));
  uploads.delete(id);
}
