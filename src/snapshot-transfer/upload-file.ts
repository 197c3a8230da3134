import { randomUUID } from "node:crypto";
import { AwsError } from "../aws/aws-error.ts";
import type { EbsApi } from "../aws/ebs-api.ts";
import type { Ec2Api } from "../aws/ec2-api.ts";
import { VISIBLE_WITHIN_MS } from "../aws/wait.ts";
import { BlockHashes } from "../base/block-hashes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import { GIB } from "../base/units.ts";
import { findLockHolders } from "../linux/files/lock-holders.ts";
import { identifyHost } from "../linux/sandbox/process-identity.ts";
import { cannotUpload, type DiskFile, openDiskFile } from "./disk-file.ts";
import { findState, isSealed, learnSnapshot } from "./earlier-snapshot.ts";
import { uploadDirectory } from "./interrupted-uploads.ts";
import type { ManifestStore } from "./manifest-store.ts";
import { openParent, type ParentSnapshot } from "./parent-snapshot.ts";
import { TransferMeter, type TransferProgress } from "./transfer-meter.ts";
import { uploadBlocks, writtenBlocks } from "./upload-blocks.ts";
import { openUploadLog, type StartedUpload, type UploadLog, uploadLogPath } from "./upload-log.ts";
import {
  changeSince,
  startPlan,
  type TransferPlace,
  type UploadPlan,
  type UploadRecord,
  uploadId,
} from "./upload-record.ts";
import { waitUntilReadable } from "./wait-until-readable.ts";

export type UploadEvent =
  | { readonly type: "started"; readonly snapshotId: SnapshotId; readonly sizeGib: number }
  /** An earlier run had put some of the blocks. */
  | { readonly type: "resumed"; readonly snapshotId: SnapshotId; readonly acknowledgedBlocks: number }
  /** What an earlier run had put is of no use; its snapshot is deleted. */
  | { readonly type: "started-over"; readonly snapshotId: SnapshotId | undefined; readonly reason: string }
  | ({ readonly type: "progress" } & TransferProgress)
  | { readonly type: "sealing"; readonly snapshotId: SnapshotId }
  /** The snapshot is complete, but what it holds could not be written down here. */
  | { readonly type: "manifest-lost"; readonly reason: string };

export interface UploadFileOptions {
  readonly path: string;
  /** @default the smallest that holds the file, and its parent */
  readonly sizeGib?: number | undefined;
  readonly plan: Omit<UploadPlan, "sizeGib">;
  readonly place: TransferPlace;
  readonly ebs: EbsApi;
  readonly ec2: Ec2Api;
  readonly manifests: ManifestStore;
  readonly stateDirectory: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: (event: UploadEvent) => void;
}

export interface UploadedSnapshot {
  readonly snapshotId: SnapshotId;
  readonly sizeGib: number;
  /** Blocks of the snapshot that were put, by this run or an earlier one. */
  readonly writtenBlocks: number;
}

/**
 * Makes a snapshot of a raw disk in a file. Interrupted, it leaves a pending snapshot and a log of what is in it: the
 * same call goes on from there.
 */
export async function uploadFile(options: UploadFileOptions): Promise<UploadedSnapshot> {
  const { path, ebs, manifests, place, emit } = options;
  await using file = await openDiskFile(path);
  const { parentSnapshotId } = options.plan;
  const parent = parentSnapshotId === undefined ? undefined : await openParent(parentSnapshotId, options);
  const plan = { ...options.plan, sizeGib: planSize(options, file, parent) };
  const about = { place, file: file.identity, plan };
  await using log = await openOwnLog(options, uploadId(about));
  const started = await startOrResume(log, about, options);
  const { snapshotId, blocks } = started;
  const written = started.isSealed ? blocks.sorted() : await putBlocks({ snapshotId, blocks, file, parent }, options);
  if (!started.isSealed) {
    await file.checkUnchanged();
    await seal(log, started, written, ebs);
  }
  emit({ type: "sealing", snapshotId });
  await waitUntilReadable(snapshotId, options);
  const parentHashes = parent === undefined ? BlockHashes.NONE : parent.hashes;
  if (parentHashes !== undefined) {
    const manifest = { sizeBytes: plan.sizeGib * GIB, blocks: parentHashes.with(written) };
    await manifests
      .write(snapshotId, manifest)
      .catch((error: unknown) => emit({ type: "manifest-lost", reason: messageOf(error) }));
  }
  await log.remove();
  return { snapshotId, sizeGib: plan.sizeGib, writtenBlocks: written.count };
}

function planSize(
  { path, sizeGib }: UploadFileOptions,
  { identity }: DiskFile,
  parent: ParentSnapshot | undefined,
): number {
  const neededGib = Math.max(1, Math.ceil(identity.sizeBytes / GIB), parent?.sizeGib ?? 0);
  if (identity.sizeBytes === 0) throw cannotUpload(path, "it is empty");
  if (sizeGib === undefined || sizeGib >= neededGib) return sizeGib ?? neededGib;
  throw cannotUpload(path, `a snapshot of it, and of its parent, needs ${neededGib} GiB, not ${sizeGib} GiB`, {
    hint: `Leave --size out, or set it to ${neededGib} or more`,
  });
}

async function openOwnLog({ path, stateDirectory }: UploadFileOptions, id: string): Promise<UploadLog> {
  const directory = uploadDirectory(stateDirectory);
  const log = await openUploadLog(directory, id);
  if (log !== undefined) return log;
  const holders = await findLockHolders(uploadLogPath(directory, id)).catch(() => []);
  throw new ToolError(
    "ERR_UPLOAD_BUSY",
    `Cannot upload "${path}": ${holders.join(", ") || "another process"} does so already`,
    {
      hint: "Wait for it, or end it and run the command again: it goes on where that one was",
    },
  );
}

interface Started extends StartedUpload {
  /** An earlier run has sealed it. */
  readonly isSealed: boolean;
}

async function startOrResume(
  log: UploadLog,
  about: Pick<UploadRecord, "place" | "file" | "plan">,
  options: UploadFileOptions,
): Promise<Started> {
  const { ec2, emit } = options;
  const { earlier } = log;
  if (earlier === undefined) return start(log, about, options);
  const change = changeSince(earlier.record, about);
  // Also if it is of no use any more: it has to be deleted.
  const started = earlier.started ?? (await learnSnapshot(log, earlier.record, options));
  const resumable = started && (await findResumable(started, options));
  if (change === undefined && resumable !== undefined) {
    emit({ type: "resumed", snapshotId: resumable.snapshotId, acknowledgedBlocks: resumable.blocks.count });
    return resumable;
  }
  // One that is sealed is of a run that died at its very end, and its owner's.
  if (started !== undefined && !resumable?.isSealed) await ec2.releasing.deleteSnapshot(started.snapshotId);
  const reason = change ?? `EBS has given up ${started?.snapshotId ?? "its snapshot"}`;
  emit({ type: "started-over", snapshotId: started?.snapshotId, reason });
  return start(log, about, options);
}

/** @returns undefined if EBS has given it up, or it is gone. */
async function findResumable(started: StartedUpload, options: UploadFileOptions): Promise<Started | undefined> {
  const state = await findState(started, { ...options, visibleWithinMs: VISIBLE_WITHIN_MS });
  if (state === "completed") return { ...started, isSealed: true };
  return state === "pending" ? { ...started, isSealed: await isSealed(started, options.ebs) } : undefined;
}

async function start(
  log: UploadLog,
  about: Pick<UploadRecord, "place" | "file" | "plan">,
  { ebs, clock, emit }: UploadFileOptions,
): Promise<Started> {
  const record: UploadRecord = {
    version: 1,
    ...(await identifyHost()),
    startTime: new Date(clock.now()).toISOString(),
    ...about,
    clientToken: randomUUID(),
  };
  await log.begin(record);
  let snapshotId: SnapshotId;
  try {
    ({ snapshotId } = await ebs.startSnapshot(startPlan(record)));
  } catch (error) {
    if (!mayHaveHappened(error)) await log.remove();
    throw error;
  }
  emit({ type: "started", snapshotId, sizeGib: record.plan.sizeGib });
  return { ...(await log.started(snapshotId, clock.now())), isSealed: false };
}

async function putBlocks(
  {
    snapshotId,
    blocks,
    file,
    parent,
  }: {
    readonly snapshotId: SnapshotId;
    readonly blocks: StartedUpload["blocks"];
    readonly file: DiskFile;
    readonly parent: ParentSnapshot | undefined;
  },
  { ebs, signal, clock, emit }: UploadFileOptions,
): Promise<BlockHashes> {
  const candidates = unionOf(await file.dataBlocks(), parent?.blockIndexes ?? []);
  const meter = new TransferMeter(countOf(candidates), clock);
  const tell = () => emit({ type: "progress", ...meter.progress() });
  meter.countEarlier(blocks.count);
  tell();
  return uploadBlocks({
    ebs,
    snapshotId,
    source: { candidates, readBlock: file.readBlock },
    parentHashOf: parent?.hashOf,
    acknowledged: blocks,
    onBlock(fate) {
      if (fate !== "put before") meter.count({ isMoved: fate === "put" });
      tell();
    },
    signal,
  });
}

async function seal(log: UploadLog, started: StartedUpload, written: BlockHashes, ebs: EbsApi): Promise<void> {
  // First: whoever comes after a kill must not take it for one that is not whole.
  await log.sealing(started);
  try {
    await ebs.completeSnapshot(started.snapshotId, writtenBlocks(written));
  } catch (error) {
    if (!mayHaveHappened(error)) await log.notSealed(started);
    throw error;
  }
}

/** Of two that ascend: what is in either, ascending. Made anew each time that it is gone through, and never kept. */
function unionOf(some: Iterable<number>, others: Iterable<number>): Iterable<number> {
  return { [Symbol.iterator]: () => mergeAscending(some[Symbol.iterator](), others[Symbol.iterator]()) };
}

function* mergeAscending(some: Iterator<number>, others: Iterator<number>): Generator<number, void> {
  const next = (indexes: Iterator<number>): number => {
    const { done, value } = indexes.next();
    return done ? Number.POSITIVE_INFINITY : value;
  };
  let [one, other] = [next(some), next(others)];
  while (one !== other || one !== Number.POSITIVE_INFINITY) {
    const lowest = Math.min(one, other);
    yield lowest;
    if (one === lowest) one = next(some);
    if (other === lowest) other = next(others);
  }
}

function countOf(items: Iterable<unknown>): number {
  let count = 0;
  for (const _ of items) count++;
  return count;
}

/** Whether a call that failed may have done its work all the same. */
function mayHaveHappened(error: unknown): boolean {
  return !(error instanceof AwsError) || error.mayHaveTakenEffect;
}
