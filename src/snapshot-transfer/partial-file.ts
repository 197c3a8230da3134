import { constants, type Stats } from "node:fs";
import { access, type FileHandle, lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { messageOf, reasonOf, systemCode, ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import { forEachParallel } from "../base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { syncDirectory } from "../linux/files/atomic-file.ts";
import { type FileLock, tryLockFile } from "../linux/files/file-lock.ts";
import { findLockHolders } from "../linux/files/lock-holders.ts";
import { fileKind } from "../linux/files/regular-file.ts";
import { renameToNew } from "../linux/files/rename-to-new.ts";
import { BlockLog } from "./block-log.ts";
import { hashBlock } from "./hash-block.ts";

/** What a download writes until it is whole: FILE.part, and FILE.part.log with the hashes of what is in it. */
export interface PartialFile extends AsyncDisposable {
  /** Blocks that are in the file, and are what they should be. */
  readonly written: BlockLog;
  /** Zeros are left out where the file has them already. */
  writeBlock(blockIndex: number, data: Uint8Array): Promise<void>;
  /**
   * Makes it the file that it is to be. It is on disk when this resolves.
   *
   * @param force whether it replaces a file that has come there meanwhile.
   * @throws {ToolError} ERR_FILE_EXISTS if it may not.
   */
  finish(force: boolean): Promise<void>;
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
  const partPath = partialPath(path);
  const logPath = `${partPath}.log`;
  await using undo = new AsyncDisposableStack();
  undo.use(await lockLog(path, logPath));
  let opened: { log: FileHandle; part: FileHandle; written: BlockLog; isResumed: boolean };
  try {
    const log = await openRegular(logPath);
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
    async finish(force) {
      await written.flush();
      await part.datasync();
      try {
        await (force ? rename : renameToNew)(partPath, path);
      } catch (cause) {
        if (systemCode(cause) === "EEXIST") throw fileExists(path, TO_GO_ON);
        throw cannotWrite(path, cause);
      }
      await syncDirectory(dirname(path));
      await rm(logPath, { force: true });
    },
    async [Symbol.asyncDispose]() {
      await written.flush();
      await owned[Symbol.asyncDispose]();
    },
  };
}

/** Where a download to this path writes until it is whole. */
export function partialPath(path: string): string {
  return `${path}.part`;
}

const TO_GO_ON =
  "It came while this ran. Move it away, or add --force to replace it, and run the command again: all blocks are here already";

async function lockLog(path: string, logPath: string): Promise<FileLock> {
  let lock: FileLock | undefined;
  try {
    lock = await tryLockFile(logPath);
  } catch (error) {
    const isOpening = error instanceof ToolError && systemCode(error.cause) !== undefined;
    throw isOpening ? cannotWrite(logPath, error.cause) : error;
  }
  if (lock === undefined) throw await busy(path, logPath);
  return lock;
}

async function openPart(path: string): Promise<FileHandle> {
  const earlier = await openRegular(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (earlier !== undefined) {
    if ((await earlier.stat()).nlink === 1) return earlier;
    // A run died between giving it its final name and taking this one: what is in it is that file's.
    await earlier.close();
    await rm(path);
  }
  return open(path, "wx+", 0o600);
}

/** Not through a link: in a directory of many, anybody may have put it there. */
async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  const status = await file.stat();
  if (status.isFile()) return file;
  await file.close();
  throw new ToolError("ERR_DOWNLOAD", `Cannot write "${path}": it is ${fileKind(status)}, not a regular file`, {
    fault: "usage",
    hint: "Remove it, or choose another name",
  });
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
 * Refuses what a download would replace without being told to, and a directory that nothing can be written to.
 *
 * @returns the file to write: of a link, which is to stay, what it leads to.
 * @throws {ToolError} ERR_FILE_EXISTS, ERR_NO_DIRECTORY or ERR_DOWNLOAD.
 */
export async function findTarget(path: string, force: boolean): Promise<string> {
  const link = await statusOf(lstat, path);
  if (link === undefined) {
    await checkDirectory(path);
    return path;
  }
  const status = link.isSymbolicLink() ? await statusOf(stat, path) : link;
  if (status === undefined) {
    throw new ToolError("ERR_DOWNLOAD", `Cannot download to "${path}": it is a symbolic link that leads to nothing`, {
      fault: "usage",
      hint: `Remove it, or name the file that it is to lead to: readlink "${path}"`,
    });
  }
  if (!status.isFile()) {
    throw new ToolError("ERR_DOWNLOAD", `Cannot download to "${path}": it is ${fileKind(status)}, not a regular file`, {
      fault: "usage",
      hint: "Download to a file; then: dd if=FILE of=DEVICE bs=4M conv=sparse,fsync",
    });
  }
  if (!force) throw fileExists(path, "Replace it with --force, or choose another name");
  const target = link.isSymbolicLink() ? await realpath(path) : path;
  await checkDirectory(target);
  return target;
}

async function statusOf(look: (path: string) => Promise<Stats>, path: string): Promise<Stats | undefined> {
  try {
    return await look(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw cannotWrite(path, error);
  }
}

async function checkDirectory(path: string): Promise<void> {
  const directory = dirname(path);
  try {
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") throw cannotWrite(path, cause);
    throw new ToolError("ERR_NO_DIRECTORY", `Cannot download to "${path}": there is no directory "${directory}"`, {
      fault: "usage",
      hint: `Make it first: mkdir -p "${directory}"`,
    });
  }
}

function fileExists(path: string, hint: string): ToolError {
  return new ToolError("ERR_FILE_EXISTS", `Cannot download to "${path}": the file exists`, { fault: "usage", hint });
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
  return new ToolError("ERR_DOWNLOAD", `Cannot write "${path}": ${reasonOf(cause)}`, {
    cause,
    fault: "host",
    hint: wayOut(path, messageOf(cause)),
  });
}

function wayOut(path: string, message: string): string | undefined {
  if (/\bENOSPC\b|\bEDQUOT\b/.test(message)) {
    return "Make room there and run the command again: it goes on where it was";
  }
  if (/\bEROFS\b/.test(message)) return "Choose a directory that is not on a read-only file system";
  if (!/\bEACCES\b|\bEPERM\b/.test(message)) return undefined;
  return `Choose another directory, or run the command as a user who may write in "${dirname(path)}"`;
}
