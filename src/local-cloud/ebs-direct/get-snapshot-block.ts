import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import type { ManifestBlock } from "../storage/snapshot-manifest.ts";
import { isBlockToken } from "./block-pages.ts";
import type { EbsAnswer, EbsCall } from "./ebs-call.ts";
import { invalid, missing, snapshotNotFound } from "./ebs-errors.ts";
import { requiredInteger, snapshotId } from "./ebs-input.ts";
import { checkIndex } from "./put-snapshot-block.ts";
import { readableSnapshot } from "./readable-snapshot.ts";

export async function getSnapshotBlock(call: EbsCall): Promise<EbsAnswer> {
  const { cloud, path, query, faults } = call;
  const id = snapshotId(path["snapshotId"], "snapshotId");
  const blockIndex = requiredInteger(path["blockIndex"], "blockIndex", { min: 0 });
  const token = query.get("blockToken");
  if (token === null || token === "") throw missing("blockToken");
  const snapshot = readableSnapshot(call, id);
  checkIndex(snapshot, blockIndex);
  const isStruck = faults.effect("expired-token") !== undefined;
  if (isStruck || !isBlockToken(cloud, id, blockIndex, token)) {
    throw invalid("INVALID_BLOCK_TOKEN", "The block token is not valid or has expired.");
  }
  const { blocks } = await cloud.storage.readManifest(id);
  const hash = findHash(blocks, blockIndex);
  // Its token was given, so it was there; the snapshot has been deleted meanwhile.
  const block = hash === undefined ? undefined : await cloud.storage.readBlock(hash);
  if (hash === undefined || block === undefined) throw snapshotNotFound(id);
  const checksum = Buffer.from(hash, "hex");
  if (faults.effect("wrong-checksum") !== undefined) checksum[0] = ~(checksum[0] ?? 0);
  const headers = {
    "x-amz-Data-Length": String(SNAPSHOT_BLOCK_BYTES),
    "x-amz-Checksum": checksum.toString("base64"),
    "x-amz-Checksum-Algorithm": "SHA256",
  };
  const body = faults.effect("damaged-block") === undefined ? block.data : damaged(block.data);
  const isCut = faults.effect("reset-during") !== undefined;
  const onSent = () => block[Symbol.dispose]();
  return { status: 200, headers, body, onSent, ...(isCut ? { cutAfterBytes: SNAPSHOT_BLOCK_BYTES / 2 } : {}) };
}

/** In the middle, so that it shows only to those who look. */
function damaged(data: Buffer): Buffer {
  const copy = Buffer.from(data);
  for (let position = copy.length / 2; position < copy.length / 2 + 8; position++)
    copy[position] = ~(copy[position] ?? 0);
  return copy;
}

function findHash(blocks: readonly ManifestBlock[], blockIndex: number): string | undefined {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((blocks[middle]?.blockIndex ?? 0) < blockIndex) low = middle + 1;
    else high = middle;
  }
  return blocks[low]?.blockIndex === blockIndex ? blocks[low]?.hash : undefined;
}
