import { describeUsage } from "../../../aws/ebs-prices.ts";
import { BlockHashes, UNKNOWN_SHA256 } from "../../../base/block-hashes.ts";
import { formatBytes, formatCount, formatDuration, SNAPSHOT_BLOCK_BYTES } from "../../../base/units.ts";
import type { BlockSource } from "../../../block-server/client.ts";
import { TransferMeter, type TransferProgress } from "../../../snapshot-transfer/transfer-meter.ts";
import {
  AcknowledgedInMemory,
  type BlockFate,
  uploadBlocks,
  writtenBlocks,
} from "../../../snapshot-transfer/upload-blocks.ts";
import { waitUntilListed } from "../../../snapshot-transfer/wait-until-readable.ts";
import type { StepProgress } from "../../build-context.ts";
import { waitForSnapshot } from "../wait-for-snapshot.ts";
import type { OpenBase } from "./base-snapshot.ts";
import type { DirectContext } from "./direct-root-disk.ts";
import type { Overlay } from "./overlay.ts";
import { findChanges, readChangedBlock } from "./plan-changes.ts";

// EBS seals what was put in seconds; what a back end in trouble takes is not published.
const COMPLETED_DEADLINE_MS = 60 * 60_000;

/**
 * Makes what the build changed the content of the child snapshot, and waits until that can be used.
 *
 * A block that equals the parent's is left out, also where it was written to. Trying again after a failure sends what EBS
 * has acknowledged no second time.
 *
 * @returns the hashes of all blocks of the child; of those that it has of its parent, as far as they are known.
 */
export async function uploadChanges(
  context: DirectContext,
  { overlay, base }: { overlay: Overlay; base: OpenBase },
): Promise<BlockHashes> {
  const { runStep } = context;
  const acknowledged = new AcknowledgedInMemory();
  const upload = (progress: StepProgress) =>
    whileIntact({ overlay, base }, () => uploadOnce(context, { overlay, base, acknowledged }, progress));
  const compared = await runStep(`Uploading what changed to ${base.child.id}`, upload, { isRepeatable: true });
  await runStep(
    `Waiting for ${base.child.id} to be completed`,
    (progress) => waitUntilReadable(context, base, progress),
    { isRepeatable: true },
  );
  await tellCost(context, base);
  return inheritedBlocks(base).with(compared).with(acknowledged.sorted());
}

/**
 * Does what needs the disk. Where some of it could not be read or written, the image has met input/output errors while it
 * was built, whatever came of that: it is not to become a snapshot, and every later error follows from that one.
 */
async function whileIntact<T>(
  { overlay, base }: { overlay: Overlay; base: OpenBase },
  work: () => Promise<T>,
): Promise<T> {
  const failure = () => base.blocks.failure() ?? overlay.failure();
  const before = failure();
  if (before !== undefined) throw before;
  try {
    return await work();
  } catch (error) {
    throw failure() ?? error;
  }
}

/** @returns the hashes of the parent's blocks that were compared. */
async function uploadOnce(
  { means, signal, clock }: DirectContext,
  { overlay, base, acknowledged }: { overlay: Overlay; base: OpenBase; acknowledged: AcknowledgedInMemory },
  progress: StepProgress,
): Promise<BlockHashes> {
  const { blocks, child } = base;
  const changes = await findChanges(overlay, signal);
  // Of the others nothing is used, so they are not fetched only to be compared: they almost never are the same.
  const compared = await hashesOf(
    blocks,
    changes.blockIndexes.filter((index) => !changes.whole.has(index)),
  );
  const allocated = new Set(blocks.blockIndexes);
  const parentHashOf = (index: number): Uint8Array | undefined => {
    if (!allocated.has(index)) return undefined;
    return compared.get(index) ?? base.knownHashes.get(index) ?? UNKNOWN_SHA256;
  };
  const meter = new TransferMeter(changes.blockIndexes.length, clock);
  let toldPercent = -1;
  const counts: Record<BlockFate, number> = { put: 0, unchanged: 0, "put before": 0 };
  const hashes = await uploadBlocks({
    ebs: means.ebs,
    snapshotId: child.id,
    source: {
      candidates: changes.blockIndexes,
      readBlock: (index, target) => readChangedBlock(overlay, changes, index, target),
    },
    parentHashOf,
    acknowledged,
    onBlock(fate) {
      counts[fate]++;
      meter.count({ isMoved: fate === "put" });
      const now = meter.progress();
      const percent = Math.floor((100 * now.doneBlocks) / now.totalBlocks);
      // Of thousands of blocks, a hundred events are enough.
      if (percent === toldPercent) return;
      toldPercent = percent;
      progress.tell(describeProgress(now), percent);
    },
    signal,
  });
  await means.ebs.completeSnapshot(child.id, writtenBlocks(hashes));
  const bytes = formatBytes(hashes.count * SNAPSHOT_BLOCK_BYTES);
  const changed = `${formatCount(hashes.count)} of ${formatCount(changes.blockIndexes.length)}`;
  progress.tell(`${changed} written blocks have changed (${bytes})`);
  return compared;
}

async function hashesOf(blocks: BlockSource, indexes: readonly number[]): Promise<BlockHashes> {
  const found = await blocks.hashes(indexes);
  return BlockHashes.from([...found].map(([blockIndex, hash]) => ({ blockIndex, sha256: Buffer.from(hash, "hex") })));
}

function describeProgress({ doneBlocks, totalBlocks, bytesPerSecond, leftMs }: TransferProgress): string {
  const left = leftMs === undefined ? "" : `, ${formatDuration(leftMs)} left`;
  return `${formatCount(doneBlocks)} of ${formatCount(totalBlocks)} blocks, ${formatBytes(bytesPerSecond)}/s${left}`;
}

async function waitUntilReadable(context: DirectContext, { child }: OpenBase, progress: StepProgress): Promise<void> {
  const { means, signal, clock } = context;
  await waitForSnapshot(context, child, { deadlineMs: COMPLETED_DEADLINE_MS, progress });
  await waitUntilListed(child.id, { ebs: means.ebs, signal, clock });
}

async function tellCost({ means, emit }: DirectContext, { blocks }: OpenBase): Promise<void> {
  const { fetchedCount, fetchedBytes, cachedCount, cachedBytes, requests } = await blocks.stats();
  const fetched = `Fetched ${formatCount(fetchedCount)} of ${formatCount(blocks.blockIndexes.length)} blocks (${formatBytes(fetchedBytes)})`;
  const cached = `${formatCount(cachedCount)} came from the cache (${formatBytes(cachedBytes)})`;
  emit({ type: "message", text: `${fetched}, ${cached}` });
  const usage = { ...means.ebs.usage };
  for (const kind of Object.keys(usage) as (keyof typeof usage)[]) usage[kind] += requests[kind];
  emit({ type: "message", text: `Requests of EBS: ${describeUsage(usage)}` });
}

/** What the child has of its parent, as far as it is known without looking. */
function inheritedBlocks({ blocks, knownHashes }: OpenBase): BlockHashes {
  return BlockHashes.from(
    blocks.blockIndexes.map((blockIndex) => ({ blockIndex, sha256: knownHashes.get(blockIndex) ?? UNKNOWN_SHA256 })),
  );
}
