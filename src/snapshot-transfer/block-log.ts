import { readSync, writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import {
  BLOCK_ENTRY_BYTES,
  type BlockHash,
  type BlockHashes,
  BlockHashList,
  UNKNOWN_SHA256,
} from "../base/block-hashes.ts";
import { BlockSet } from "../base/block-set.ts";

const RECORD_BYTES = BLOCK_ENTRY_BYTES + 4;
const READ_RECORDS = 4096;
/** Of the record that says that no block is missing. No disk has so many. */
const END_INDEX = 0xffff_ffff;

/**
 * Blocks that are done, behind the head of an open file: a record each, with a checksum. What is in the file survives
 * this process. After a failure of the host the last ones may be missing; none is wrong.
 */
export class BlockLog {
  readonly #file: FileHandle;
  readonly #list = new BlockHashList();
  readonly #indexes = new BlockSet();
  #endBytes: number;
  #isEnded = false;
  readonly #waiting: Buffer[] = [];
  #writing: Promise<void> | undefined;

  /**
   * Reads what is there. What is not whole at its end is cut off.
   *
   * @param startBytes where the head of the file ends.
   */
  static async open(file: FileHandle, startBytes: number): Promise<BlockLog> {
    const log = new BlockLog(file, startBytes);
    log.#readAll();
    await file.truncate(log.#endBytes);
    return log;
  }

  private constructor(file: FileHandle, startBytes: number) {
    this.#file = file;
    this.#endBytes = startBytes;
  }

  get count(): number {
    return this.#indexes.size;
  }

  /** Whether all blocks that there are to be are in it. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  has(blockIndex: number): boolean {
    return this.#indexes.has(blockIndex);
  }

  /** Takes the end back: nothing was made of it. */
  async reopen(): Promise<void> {
    if (!this.#isEnded) return;
    await this.#file.truncate(this.#endBytes - RECORD_BYTES);
    this.#endBytes -= RECORD_BYTES;
    this.#isEnded = false;
  }

  /** At once, not by the thread pool: what is done and not written would be done again. */
  add(block: BlockHash): void {
    this.#append(block);
    this.#remember(block);
  }

  /** No more comes. All of it survives a failure of the host when this resolves. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#append({ blockIndex: END_INDEX, sha256: UNKNOWN_SHA256 });
    await this.#file.datasync();
    this.#isEnded = true;
  }

  /**
   * Soon, with others, where nothing is lost if the last ones are missing: writes to a busy disk can take long, and
   * must not hold up everything else.
   */
  addSoon(block: BlockHash): void {
    this.#waiting.push(recordOf(block));
    this.#remember(block);
    this.#writing ??= this.#writeWaiting().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when all that was added is in the file, as far as there was room. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  sorted(): BlockHashes {
    return this.#list.sorted();
  }

  #readAll(): void {
    const buffer = Buffer.alloc(READ_RECORDS * RECORD_BYTES);
    for (;;) {
      const byteCount = readSync(this.#file.fd, buffer, 0, buffer.length, this.#endBytes);
      const count = Math.floor(byteCount / RECORD_BYTES);
      if (count === 0) return;
      for (let position = 0; position < count; position++) {
        const record = buffer.subarray(position * RECORD_BYTES, (position + 1) * RECORD_BYTES);
        if (record.readUInt32BE(BLOCK_ENTRY_BYTES) !== crc32(record.subarray(0, BLOCK_ENTRY_BYTES))) return;
        const blockIndex = record.readUInt32BE(0);
        if (blockIndex === END_INDEX) this.#isEnded = true;
        else this.#remember({ blockIndex, sha256: record.subarray(4, BLOCK_ENTRY_BYTES) });
        this.#endBytes += RECORD_BYTES;
      }
    }
  }

  #append(block: BlockHash): void {
    const record = recordOf(block);
    for (let written = 0; written < RECORD_BYTES; ) {
      written += writeSync(this.#file.fd, record, written, RECORD_BYTES - written, this.#endBytes + written);
    }
    this.#endBytes += RECORD_BYTES;
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const bytes = Buffer.concat(this.#waiting.splice(0));
      try {
        const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, this.#endBytes);
        // A record that is there in part is written over by the next one.
        this.#endBytes += bytesWritten - (bytesWritten % RECORD_BYTES);
      } catch {
        // A full disk, most likely: the next block says so.
      }
    }
  }

  #remember(block: BlockHash): void {
    this.#indexes.add(block.blockIndex);
    this.#list.add(block);
  }
}

function recordOf({ blockIndex, sha256 }: BlockHash): Buffer {
  const record = Buffer.allocUnsafe(RECORD_BYTES);
  record.writeUInt32BE(blockIndex, 0);
  record.set(sha256, 4);
  record.writeUInt32BE(crc32(record.subarray(0, BLOCK_ENTRY_BYTES)), BLOCK_ENTRY_BYTES);
  return record;
}
