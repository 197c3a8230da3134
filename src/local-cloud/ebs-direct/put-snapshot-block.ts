import { createHash } from "node:crypto";
import type { SnapshotId } from "../../base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { ConnectionReset } from "../faults/fault-errors.ts";
import type { SnapshotRecord } from "../state/records.ts";
import type { ManifestBlock } from "../storage/snapshot-manifest.ts";
import type { EbsAnswer, EbsCall } from "./ebs-call.ts";
import { invalid, missing } from "./ebs-errors.ts";
import { header, integer, requiredHeader, requiredInteger, snapshotId } from "./ebs-input.ts";
import { notPending, writableSnapshot } from "./readable-snapshot.ts";

export async function putSnapshotBlock(call: EbsCall): Promise<EbsAnswer> {
  const { path, body } = call;
  const id = snapshotId(path["snapshotId"], "snapshotId");
  const blockIndex = requiredInteger(path["blockIndex"], "blockIndex", { min: 0 });
  const checksum = requiredHeader(call, "x-amz-Checksum");
  checkHeaders(call);
  const progressPercent = integer(header(call, "x-amz-Progress"), "progress", { min: 0, max: 100 });
  const snapshot = writableSnapshot(call, id);
  checkIndex(snapshot, blockIndex);
  if (call.faults.effect("reset-during") !== undefined) {
    await body.readHalf();
    throw new ConnectionReset();
  }
  const data = await body.read();
  if (data.length !== SNAPSHOT_BLOCK_BYTES) throw invalid("INVALID_PARAMETER_VALUE", "Failed to read block data");
  // Here and now: in a thread of its own, WebCrypto copies the block first, which costs a third more CPU than it spares.
  const digest = createHash("sha256").update(data).digest();
  if (digest.toString("base64") !== checksum) {
    throw invalid("INVALID_PARAMETER_VALUE", "The checksum of the block data is not the one in x-amz-Checksum.");
  }
  await write(call, id, { blockIndex, hash: digest.toString("hex") }, data);
  noteProgress(call, id, progressPercent);
  const headers = { "x-amz-Checksum": checksum, "x-amz-Checksum-Algorithm": "SHA256" };
  return { status: 201, headers, body: {} };
}

/** @throws {ApiError} ValidationException, CONFLICTING_BLOCK_UPDATE if other data is being put at the same index. */
async function write(call: EbsCall, id: SnapshotId, block: ManifestBlock, data: Buffer): Promise<void> {
  const { storage, uploads } = call.cloud;
  // While the body was coming, it may have been sealed or deleted.
  writableSnapshot(call, id);
  const writing = uploads.get(id)?.writing;
  const other = writing?.get(block.blockIndex);
  if (other !== undefined && other !== block.hash) {
    const message = `Another update of the block ${block.blockIndex} of the snapshot '${id}' is under way.`;
    throw invalid("CONFLICTING_BLOCK_UPDATE", message);
  }
  writing?.set(block.blockIndex, block.hash);
  try {
    // False: sealed or deleted while it waited for its turn.
    if (!(await storage.putBlock(id, block, data))) throw notPending(id);
  } finally {
    writing?.delete(block.blockIndex);
  }
}

function noteProgress({ cloud }: EbsCall, id: SnapshotId, progressPercent: number | undefined): void {
  const upload = cloud.uploads.get(id);
  if (upload === undefined) return;
  upload.lastWriteAtMs = cloud.clock.now();
  upload.progressPercent = progressPercent ?? upload.progressPercent;
}

function checkHeaders(call: EbsCall): void {
  const algorithm = requiredHeader(call, "x-amz-Checksum-Algorithm");
  if (algorithm !== "SHA256")
    throw invalid("INVALID_PARAMETER_VALUE", `The checksum algorithm '${algorithm}' is not SHA256.`);
  const lengthBytes = integer(header(call, "x-amz-Data-Length"), "dataLength", { min: 0 });
  if (lengthBytes === undefined) throw missing("dataLength");
  if (lengthBytes !== SNAPSHOT_BLOCK_BYTES) {
    throw invalid("INVALID_PARAMETER_VALUE", `The data length ${lengthBytes} is not ${SNAPSHOT_BLOCK_BYTES}.`);
  }
  const encoding = header(call, "content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    throw invalid("INVALID_CONTENT_ENCODING", `The content encoding '${encoding}' is not supported.`);
  }
}

/** @throws {ApiError} ValidationException, INVALID_BLOCK. */
export function checkIndex({ id, sizeGib }: SnapshotRecord, blockIndex: number): void {
  const blockCount = (sizeGib * GIB) / SNAPSHOT_BLOCK_BYTES;
  if (blockIndex < blockCount) return;
  throw invalid("INVALID_BLOCK", `The block ${blockIndex} is beyond the ${blockCount} blocks of the snapshot '${id}'.`);
}
