// What an upload has put already, on disk, so that another run of the same command goes on where this one ended.
import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import { syncDirectory } from "../linux/files/atomic-file.ts";
import { type FileLock, tryLockFile } from "../linux/files/file-lock.ts";
import { BlockLog } from "./block-log.ts";
import type { UploadRecord } from "./upload-record.ts";

const SUFFIX = ".upload";
// One with the longest description, tags and path that there may be has some 70 KiB.
const HEAD_BYTES_MAX = 262_144;

/** The log of one upload. Nobody else has it until it is disposed of. */
export interface UploadLog extends AsyncDisposable {
  readonly path: string;
  /** What an earlier run left; undefined if there was none. */
  readonly earlier: EarlierUpload | undefined;
  /** Forgets what was before. The snapshot may be started when this resolves. */
  begin(record: UploadRecord): Promise<void>;
  /** @param startMs when, in milliseconds since the epoch. */
  started(snapshotId: SnapshotId, startMs: number): Promise<StartedUpload>;
  /** All is put. The snapshot may be sealed when this resolves. */
  sealing(started: StartedUpload): Promise<void>;
  /** Sealing it was refused. */
  notSealed(started: StartedUpload): Promise<void>;
  /** Nothing is left to go on with. */
  remove(): Promise<void>;
}

export interface EarlierUpload {
  readonly record: UploadRecord;
  /** Undefined if nobody learnt which snapshot it was: starting it again with the same token tells. */
  readonly started: StartedUpload | undefined;
  /** Where the record of the upload ends in the file. */
  readonly headBytes: number;
}

export interface StartedUpload {
  readonly snapshotId: SnapshotId;
  /** When it was started, in milliseconds since the epoch. */
  readonly startMs: number;
  /** Where the blocks that EBS acknowledges go. */
  readonly blocks: BlockLog;
}

/** @returns undefined if another process has it. */
export async function openUploadLog(directory: string, id: string): Promise<UploadLog | undefined> {
  const path = uploadLogPath(directory, id);
  try {
    const lock = await tryLockFile(path);
    if (lock === undefined) return undefined;
    try {
      return await opened(path, lock, await open(path, "r+", 0o600));
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  } catch (cause) {
    throw logError(path, cause);
  }
}

export function uploadLogPath(directory: string, id: string): string {
  return join(directory, `${id}${SUFFIX}`);
}

async function opened(path: string, lock: FileLock, file: FileHandle): Promise<UploadLog> {
  const earlier = await readEarlier(file);
  let headBytes = earlier?.headBytes ?? 0;
  return {
    path,
    earlier,
    async begin(record) {
      await guarded(path, async () => {
        await file.truncate(0);
        headBytes = await appendLine(file, 0, record);
        await syncDirectory(dirname(path));
      });
    },
    started: (snapshotId, startMs) =>
      guarded(path, async () => {
        const line: StartedLine = { snapshotId, startTime: new Date(startMs).toISOString() };
        const blocks = await BlockLog.open(file, await appendLine(file, headBytes, line));
        return { snapshotId, startMs, blocks };
      }),
    sealing: ({ blocks }) => guarded(path, () => blocks.end()),
    notSealed: ({ blocks }) => guarded(path, () => blocks.reopen()),
    remove: () => rm(path, { force: true }),
    async [Symbol.asyncDispose]() {
      await file.close();
      await lock[Symbol.asyncDispose]();
    },
  };
}

/** @returns where it ends. It is durable then. */
async function appendLine(file: FileHandle, startBytes: number, line: object): Promise<number> {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  await file.write(bytes, 0, bytes.length, startBytes);
  await file.datasync();
  return startBytes + bytes.length;
}

async function readEarlier(file: FileHandle): Promise<EarlierUpload | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES_MAX), 0, HEAD_BYTES_MAX, 0);
  const head = buffer.subarray(0, bytesRead);
  const headBytes = head.indexOf("\n") + 1;
  const record = parseLine<UploadRecord>(head.subarray(0, headBytes));
  // Nothing had begun, or another version has written it.
  if (record?.version !== 1) return undefined;
  const startedEnd = head.indexOf("\n", headBytes) + 1;
  const line = startedEnd === 0 ? undefined : parseLine<StartedLine>(head.subarray(headBytes, startedEnd));
  if (line === undefined) return { record, headBytes, started: undefined };
  const { snapshotId, startTime } = line;
  const blocks = await BlockLog.open(file, startedEnd);
  return { record, headBytes, started: { snapshotId, startMs: Date.parse(startTime), blocks } };
}

/** The second line of a log. */
interface StartedLine {
  readonly snapshotId: SnapshotId;
  /** ISO 8601 */
  readonly startTime: string;
}

function parseLine<T>(line: Buffer): T | undefined {
  try {
    return JSON.parse(line.toString());
  } catch {
    // It was being written when its process died.
    return undefined;
  }
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw logError(path, cause);
  }
}

function logError(path: string, cause: unknown): ToolError {
  return new ToolError("ERR_UPLOAD_LOG", `Cannot write down what is uploaded in "${path}": ${messageOf(cause)}`, {
    cause,
    fault: "host",
    hint: "Set AMIBAKE_STATE_DIR to a directory of this host that can be written and has room",
  });
}
