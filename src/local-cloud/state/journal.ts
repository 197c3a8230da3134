import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ToolError } from "../../base/errors.ts";
import { MIB } from "../../base/units.ts";
import { reserveRoom } from "../../linux/files/reserve-room.ts";

/** One change: the table, the key in it, and the new record, or `null` for "removed". */
export type Change = readonly [table: string, key: string, record: unknown];

/** Kept for changes that are to be written when the disk is full: only what is deleted makes room. */
const RESERVE_BYTES = MIB;

/** A compaction is worth it when most lines are history; small journals are left alone. */
const COMPACTION_CHANGES_MIN = 2_000;
const COMPACTION_RATIO = 4;

/**
 * An append-only file of JSON lines. A line is a transaction: a list of changes
 * that are all there after a crash, or none.
 *
 * Killing the process can cut only the line that was being written, and that one
 * was not acknowledged: it is dropped at the next open.
 */
export class Journal implements AsyncDisposable {
  readonly #path: string;
  #file: FileHandle;
  #lengthBytes: number;
  #changeCount: number;
  /** Up to here the file has its place on the disk. */
  #reservedBytes = 0;
  #waiting: Change[] = [];
  #writing: Promise<void> | undefined;
  readonly #liveRecords: () => readonly Change[];

  private constructor(path: string, file: FileHandle, lengthBytes: number, changeCount: number, live: () => Change[]) {
    this.#path = path;
    this.#file = file;
    this.#lengthBytes = lengthBytes;
    this.#changeCount = changeCount;
    this.#liveRecords = live;
  }

  /**
   * Opens or creates the journal, and replays it.
   *
   * @param replay takes each change in the order written.
   * @param liveRecords everything that is alive now; what a compaction writes.
   * @throws {ToolError} ERR_STORE_DAMAGED if a line other than the last cannot be read.
   */
  static async open(path: string, replay: (change: Change) => void, liveRecords: () => Change[]): Promise<Journal> {
    const file = await open(path, "a+", 0o600);
    try {
      const bytes = await file.readFile();
      const { changes, lengthBytes } = readChanges(bytes, path);
      for (const change of changes) replay(change);
      // The torn line would otherwise be glued to the next one written.
      if (lengthBytes < bytes.length) await file.truncate(lengthBytes);
      await syncDirectory(dirname(path));
      const journal = new Journal(path, file, lengthBytes, changes.length, liveRecords);
      await journal.#reserve();
      return journal;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Notes a change; `commit` makes it durable. Changes noted without an `await` between them are one transaction. */
  note(change: Change): void {
    // A copy now: the record may be changed again before the line is written.
    this.#waiting.push(structuredClone(change));
  }

  /** Resolves when everything noted so far is on disk. Calls that come together share one fdatasync. */
  async commit(): Promise<void> {
    while (this.#waiting.length > 0 || this.#writing !== undefined) {
      this.#writing ??= this.#writeWaiting().finally(() => {
        this.#writing = undefined;
      });
      const isLastNeeded = this.#waiting.length === 0;
      await this.#writing;
      if (isLastNeeded) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.commit();
    await this.#file.close();
  }

  async #writeWaiting(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    try {
      const line = Buffer.from(`${JSON.stringify(batch)}\n`);
      await this.#file.appendFile(line);
      await this.#file.datasync();
      this.#lengthBytes += line.length;
      this.#changeCount += batch.length;
    } catch (error) {
      // Such as a full disk: nothing is lost in memory, so a later commit can still succeed.
      this.#waiting = [...batch, ...this.#waiting];
      await this.#file.truncate(this.#lengthBytes);
      // What was reserved goes with it.
      this.#reservedBytes = 0;
      throw error;
    }
    await this.#compactIfWorthIt();
    await this.#reserve();
  }

  async #reserve(): Promise<void> {
    if (this.#lengthBytes + RESERVE_BYTES / 2 <= this.#reservedBytes) return;
    // Without it, as on a file system that promises nothing, a full disk refuses every change.
    const isReserved = await reserveRoom(this.#file, this.#lengthBytes, RESERVE_BYTES);
    if (isReserved) this.#reservedBytes = this.#lengthBytes + RESERVE_BYTES;
  }

  async #compactIfWorthIt(): Promise<void> {
    if (this.#changeCount < COMPACTION_CHANGES_MIN) return;
    const live = this.#liveRecords();
    if (this.#changeCount < live.length * COMPACTION_RATIO) return;
    // The live records already hold what is waiting; writing it again afterwards changes nothing.
    const lines = Buffer.from(live.map((change) => `${JSON.stringify([change])}\n`).join(""));
    let compacted: FileHandle;
    try {
      compacted = await writeCompacted(`${this.#path}.new`, this.#path, lines);
    } catch {
      // Such as a full disk: the journal as it was is complete, and the next batch tries again.
      return;
    }
    const old = this.#file;
    this.#file = compacted;
    this.#lengthBytes = lines.length;
    this.#changeCount = live.length;
    this.#reservedBytes = 0;
    await old.close();
    await syncDirectory(dirname(this.#path));
  }
}

/** Writes and syncs the new journal, then puts it in the old one's place. */
async function writeCompacted(temporaryPath: string, path: string, lines: Buffer): Promise<FileHandle> {
  await rm(temporaryPath, { force: true });
  const file = await open(temporaryPath, "a+", 0o600);
  try {
    await file.appendFile(lines);
    await file.datasync();
    await rename(temporaryPath, path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function readChanges(bytes: Buffer, path: string): { changes: Change[]; lengthBytes: number } {
  const lengthBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, lengthBytes).toString().split("\n").slice(0, -1);
  const changes = lines.flatMap((line, index) => {
    try {
      return JSON.parse(line) as Change[];
    } catch (cause) {
      throw new ToolError("ERR_STORE_DAMAGED", `Cannot read "${path}": line ${index + 1} is not JSON`, {
        cause,
        hint: "Restore the store from a copy, or delete it with: amibake local reset",
        fault: "host",
      });
    }
  });
  return { changes, lengthBytes };
}

/** Makes a new or renamed directory entry durable. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
