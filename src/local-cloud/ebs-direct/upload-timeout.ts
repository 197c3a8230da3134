import type { SnapshotId } from "../../base/ids.ts";
import type { Cloud } from "../operations/cloud.ts";
import { failSnapshot } from "../operations/make-snapshot.ts";
import { beginUpload, endUpload } from "../operations/uploads.ts";

const MINUTE_MS = 60_000;
const MESSAGE = "The snapshot was not written to or completed in time.";

/**
 * Begins an upload, which ends in "error" when so many minutes have passed without a block. What was put goes then.
 *
 * The time since the last block is not kept over a restart of the cloud: it begins anew.
 */
export function watchUpload(cloud: Cloud, id: SnapshotId, timeoutMinutes: number): void {
  const upload = beginUpload(cloud, id);
  const signal = AbortSignal.any([upload.ended.signal, cloud.transitions.signal]);
  cloud.transitions.startInBackground(async () => {
    for (;;) {
      const leftMs = upload.lastWriteAtMs + timeoutMinutes * MINUTE_MS - cloud.clock.now();
      if (leftMs <= 0) break;
      await cloud.clock.sleep(leftMs, signal);
    }
    endUpload(cloud, id);
    await failSnapshot(cloud, id, MESSAGE);
    await cloud.storage.deleteSnapshot(id);
  });
}
