import { constants } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { messageOf, reasonOf, systemCode, ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import { forEachParallel } from "../base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { syncDirectory } from "../linux/files/atomic-file.ts";
import { tryLockFile } from "../linux/files/file-lock.ts";
import { findLockHolders } from "../linux/files/lock-holders.ts";
import { fileKind } from "../linux/files/regular-file.ts";
import { BlockLog } from "./block-log.ts";
import { hashBlock } from "./hash-block.ts";

/** What a download writes until it is whole: FILE.part, and FILE.part.log with the hashes of what is in it. */
export interface PartialFile extends AsyncDisposable {
  /** Blocks that are in the file, and are what they should be. */
  readonly written: BlockLog;
  /** Zeros are left out where the file has them already. */
  writeBlock(blockIndex: number, data: Uint8Array): Promise<void>;
  /** Makes it the file that it is to be. It is on disk when this resolves. */
  finish(): Promise<void>;
}

interface Content {
  readonly snapshotId: SnapshotId;
  readonly sizeBytes: number;
}

const HEAD_BYTES_MAX = 4096;
// Node's thread pool has four threads.
const CHECKS_MAX = 6;

/**
 * Opens the partial file of `path`, for the content of a snapshot. What an earlier download of the same snapshot has
 * written is hashed again: a host that went down may have lost some of it.
 *
 * @throws {ToolError} ERR_DOWNLOAD if another process writes it, or it cannot be written.
 */
export async function openPartialFile(path: string, content: Content, signal: AbortSignal): Promise<PartialFile> {
  const partPath = `${path}.part`;
  const logPath = `${partPath}.log`;
  await using undo = new AsyncDisposableStack();
  const lock = await tryLockFile(logPath);
  if (lock === undefined) throw await busy(path, logPath);
  undo.use(lock);
  let opened: { log: FileHandle; part: FileHandle; written: BlockLog; isResumed: boolean };
  try {
    const log = await open(logPath, "r+");
    undo.defer(() => log.close());
    const part = await openPart(partPath);
    undo.defer(() => part.close());
    opened = { log, part, ...(await resumeOrBegin(log, part, content, signal)) };
  } catch (cause) {
    signal.throwIfAborted();
    throw cannotWrite(partPath, cause);
  }
  const { part, written, isResumed } = opened;
  const owned = undo.move();
  return {
    written,
    // Where an earlier run has written, there may be a part of the block.
    writeBlock: (blockIndex, data) => writeBlock(part, partPath, { blockIndex, data, isOverZeros: !isResumed }),
    async finish() {
      await written.flush();
      await part.datasync();
      await rename(partPath, path);
      await syncDirectory(dirname(path));
      await rm(logPath, { force: true });
    },
    async [Symbol.asyncDispose]() {
      await written.flush();
      await owned[Symbol.asyncDispose]();
    },
  };
}

async function openPart(path: string): Promise<FileHandle> {
  try {
    // Not through a link: in a directory of many, anybody may have put it there.
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    return await open(path, "wx+", 0o600);
  }
}

async function resumeOrBegin(
  log: FileHandle,
  part: FileHandle,
  content: Content,
  signal: AbortSignal,
): Promise<{ written: BlockLog; isResumed: boolean }> {
  const head = Buffer.from(`${JSON.stringify({ version: 1, ...content })}\n`);
  const { buffer, bytesRead } = await log.read(Buffer.alloc(HEAD_BYTES_MAX), 0, HEAD_BYTES_MAX, 0);
  const isSame = buffer.subarray(0, Math.min(bytesRead, head.length)).equals(head);
  if (isSame && (await part.stat()).size === content.sizeBytes) {
    const earlier = await BlockLog.open(log, head.length);
    const wrong = await wrongBlocks(part, earlier, signal);
    if (wrong.size === 0) return { written: earlier, isResumed: true };
    const right = [...earlier.sorted()].filter(({ blockIndex }) => !wrong.has(blockIndex));
    await log.truncate(head.length);
    const written = await BlockLog.open(log, head.length);
    for (const block of right) written.add(block);
    return { written, isResumed: true };
  }
  // One after the other, on the disk too. An old log would take the new zeros for what it says was written; a new one
  // would take the holes for zeros, while another snapshot's blocks are in them.
  await log.truncate(0);
  await log.datasync();
  await part.truncate(0);
  await part.truncate(content.sizeBytes);
  await part.datasync();
  await log.write(head, 0, head.length, 0);
  await log.datasync();
  return { written: await BlockLog.open(log, head.length), isResumed: false };
}

async function wrongBlocks(part: FileHandle, log: BlockLog, signal: AbortSignal): Promise<Set<number>> {
  const wrong = new Set<number>();
  const buffers: Buffer[] = [];
  await forEachParallel(log.sorted(), CHECKS_MAX, async ({ blockIndex, sha256 }, worker) => {
    signal.throwIfAborted();
    buffers[worker] ??= Buffer.allocUnsafeSlow(SNAPSHOT_BLOCK_BYTES);
    const data = buffers[worker];
    const { bytesRead } = await part.read(data, 0, data.length, blockIndex * SNAPSHOT_BLOCK_BYTES);
    if (bytesRead !== data.length || !hashBlock(data).equals(sha256)) wrong.add(blockIndex);
  });
  return wrong;
}

async function writeBlock(
  part: FileHandle,
  partPath: string,
  { blockIndex, data, isOverZeros }: { blockIndex: number; data: Uint8Array; isOverZeros: boolean },
): Promise<void> {
  const blockStart = blockIndex * SNAPSHOT_BLOCK_BYTES;
  try {
    for (const [start, end] of isOverZeros ? dataRuns(data) : [[0, data.length] as const]) {
      for (let written = start; written < end; ) {
        written += (await part.write(data, written, end - written, blockStart + written)).bytesWritten;
      }
    }
  } catch (cause) {
    throw cannotWrite(partPath, cause);
  }
}

// Smaller holes save little, and cost the file system more.
const RUN_BYTES = 65_536;
const ZERO_RUN = Buffer.alloc(RUN_BYTES);

/** What of a block is not zero, in pieces that are to be written. */
function dataRuns(data: Uint8Array): (readonly [start: number, end: number])[] {
  const runs: [start: number, end: number][] = [];
  for (let start = 0; start < data.length; start += RUN_BYTES) {
    if (Buffer.compare(data.subarray(start, start + RUN_BYTES), ZERO_RUN) === 0) continue;
    const last = runs.at(-1);
    if (last?.[1] === start) last[1] = start + RUN_BYTES;
    else runs.push([start, start + RUN_BYTES]);
  }
  return runs;
}

/**
 * Refuses what a download would replace without being told to.
 *
 * @throws {ToolError} ERR_FILE_EXISTS, ERR_NO_DIRECTORY or ERR_DOWNLOAD.
 */
export async function checkTarget(path: string, force: boolean): Promise<void> {
  const status = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw cannotWrite(path, error);
  });
  if (status !== undefined && !status.isFile()) {
    throw new ToolError("ERR_DOWNLOAD", `Cannot download to "${path}": it is ${fileKind(status)}, not a regular file`, {
      fault: "usage",
      hint: "Download to a file; then: dd if=FILE of=DEVICE bs=4M conv=sparse,fsync",
    });
  }
  if (status !== undefined && !force) {
    throw new ToolError("ERR_FILE_EXISTS", `Cannot download to "${path}": the file exists`, {
      fault: "usage",
      hint: "Replace it with --force, or choose another name",
    });
  }
  if (await stat(dirname(path)).catch(() => undefined)) return;
  throw new ToolError("ERR_NO_DIRECTORY", `Cannot download to "${path}": there is no directory "${dirname(path)}"`, {
    fault: "usage",
    hint: `Make it first: mkdir -p "${dirname(path)}"`,
  });
}

async function busy(path: string, logPath: string): Promise<ToolError> {
  const holders = await findLockHolders(logPath).catch(() => []);
  const who = holders.join(", ") || "another process";
  return new ToolError("ERR_DOWNLOAD", `Cannot download to "${path}": ${who} does so already`, {
    hint: "Wait for it, or choose another name",
  });
}

function cannotWrite(path: string, cause: unknown): ToolError {
  if (cause instanceof ToolError) return cause;
  const isFull = /\bENOSPC\b|\bEDQUOT\b/.test(messageOf(cause));
  return new ToolError("ERR_DOWNLOAD", `Cannot write "${path}": ${reasonOf(cause)}`, {
    cause,
    fault: "host",
    ...(isFull ? { hint: "Make room there and run the command again: it goes on where it was" } : {}),
  });
}
