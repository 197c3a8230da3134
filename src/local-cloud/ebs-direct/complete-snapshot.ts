import { createHash } from "node:crypto";
import { completeSnapshot as endPending, failSnapshot } from "../operations/make-snapshot.ts";
import { endUpload } from "../operations/uploads.ts";
import type { ManifestBlock } from "../storage/snapshot-manifest.ts";
import type { EbsAnswer, EbsCall } from "./ebs-call.ts";
import { invalid, violated } from "./ebs-errors.ts";
import { header, requiredInteger, snapshotId } from "./ebs-input.ts";
import { writableSnapshot } from "./readable-snapshot.ts";

export async function completeSnapshot(call: EbsCall): Promise<EbsAnswer> {
  const { cloud, path, faults } = call;
  const { state, storage, transitions, clock } = cloud;
  const id = snapshotId(path["snapshotId"], "snapshotId");
  const count = requiredInteger(header(call, "x-amz-ChangedBlocksCount"), "changedBlocksCount", { min: 0 });
  const checksum = requestedChecksum(call);
  writableSnapshot(call, id);
  const startedAtMs = clock.now();
  const { blockCount } = await storage.sealSnapshot(id, (puts) => {
    // Again: another call may have sealed or deleted it while this one waited for its puts.
    writableSnapshot(call, id);
    checkPuts(puts, count, checksum);
  });
  const sealed = writableSnapshot(call, id);
  endUpload(cloud, id);
  state.snapshots.put(id, { ...sealed, blockCount, upload: { ...sealed.upload, isSealed: true } });
  await state.commit();
  const failure = faults.effect("snapshot-error");
  const complete = async (waitForDelay: () => Promise<void>, endsAtMs: number) => {
    cloud.progress.set(id, { startedAtMs, endsAtMs });
    await waitForDelay();
    if (failure === undefined) await endPending(cloud, id);
    else await failSnapshot(cloud, id, failure.message);
  };
  await transitions.start("CompleteSnapshot", complete, startedAtMs);
  return { status: 202, body: { Status: "pending" } };
}

function checkPuts(puts: readonly ManifestBlock[], count: number, checksum: string | undefined): void {
  if (puts.length !== count) {
    throw invalid(
      "INVALID_PARAMETER_VALUE",
      `The changed blocks count ${count} is not that of the snapshot: ${puts.length}`,
    );
  }
  if (checksum !== undefined && checksum !== linearChecksum(puts)) {
    throw invalid("INVALID_PARAMETER_VALUE", "The checksum is not that of the blocks of the snapshot.");
  }
}

/** SHA-256 over the digests of the blocks that were put, as bytes, ascending by index; base64. */
function linearChecksum(puts: readonly ManifestBlock[]): string {
  const aggregate = createHash("sha256");
  for (const { hash } of puts) aggregate.update(hash, "hex");
  return aggregate.digest("base64");
}

/** The three belong together: what is said of a checksum says nothing without it. */
function requestedChecksum(call: EbsCall): string | undefined {
  const algorithm = header(call, "x-amz-Checksum-Algorithm");
  if (algorithm !== undefined && algorithm !== "SHA256") {
    throw violated(algorithm, "checksumAlgorithm", "satisfy enum value set: [SHA256]");
  }
  const method = header(call, "x-amz-Checksum-Aggregation-Method");
  if (method !== undefined && method !== "LINEAR") {
    throw violated(method, "checksumAggregationMethod", "satisfy enum value set: [LINEAR]");
  }
  return header(call, "x-amz-Checksum");
}
