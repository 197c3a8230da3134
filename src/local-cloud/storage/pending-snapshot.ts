import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { writeFileAtomically } from "../../linux/files/atomic-file.ts";
import type { BlockHash } from "./block-medium.ts";
import {
  decodeManifestAtStart,
  encodeManifest,
  type ManifestBlock,
  type SnapshotManifest,
} from "./snapshot-manifest.ts";

const HASH_START = 4;
const SUM_START = 36;
const RECORD_BYTES = 40;

interface Waiting {
  readonly block: ManifestBlock;
  readonly done: (replaced: BlockHash | undefined) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * A snapshot that is written block by block.
 *
 * Its file holds the manifest that it starts from, and behind that a record for each put: the index (32 bits, big
 * endian), the SHA-256 and the CRC-32 of the two. A process that is killed can cut only the last records, which were
 * not acknowledged: they are dropped when it is opened.
 */
export class PendingSnapshot implements AsyncDisposable {
  /** What it starts from: the parent's blocks, in a volume of its own size. */
  readonly base: SnapshotManifest;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #puts: Map<number, BlockHash>;
  #lengthBytes: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, content: PendingContent) {
    this.#path = path;
    this.#file = file;
    this.base = content.base;
    this.#puts = content.puts;
    this.#lengthBytes = content.lengthBytes;
  }

  /** Replaces what is at the path. */
  static async create(path: string, base: SnapshotManifest): Promise<PendingSnapshot> {
    await writeFileAtomically(path, encodeManifest(base));
    return PendingSnapshot.open(path);
  }

  /** @throws {ToolError} ERR_STORE_DAMAGED if it does not begin with a manifest. */
  static async open(path: string): Promise<PendingSnapshot> {
    const content = decodePending(await readFile(path), path);
    const file = await open(path, "a");
    try {
      // What was torn would otherwise be glued to the next record.
      await file.truncate(content.lengthBytes);
      return new PendingSnapshot(path, file, content);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** What was put: the last of each index, ascending. */
  puts(): ManifestBlock[] {
    return sorted(this.#puts);
  }

  /** What the snapshot is if nothing more is put. */
  manifest(): SnapshotManifest {
    const blocks = new Map(this.base.blocks.map(({ blockIndex, hash }) => [blockIndex, hash]));
    for (const [blockIndex, hash] of this.#puts) blocks.set(blockIndex, hash);
    return { sizeBytes: this.base.sizeBytes, blocks: sorted(blocks) };
  }

  /** One hash for each use of a block. */
  hashes(): BlockHash[] {
    return [...this.base.blocks.map(({ hash }) => hash), ...this.#puts.values()];
  }

  /** Blocks of the base that a put has taken the place of. */
  replaced(): BlockHash[] {
    return this.base.blocks.filter(({ blockIndex }) => this.#puts.has(blockIndex)).map(({ hash }) => hash);
  }

  /** Notes a put, durably. Those that come together share one fdatasync. @returns the earlier put of that index. */
  put(block: ManifestBlock): Promise<BlockHash | undefined> {
    return new Promise((done, failed) => {
      this.#waiting.push({ block, done, failed });
      this.#writing ??= this.#writeWaiting().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  /** Closes it and removes its file. */
  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await rm(this.#path, { force: true });
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(encodeRecords(batch.map(({ block }) => block)));
      } catch (error) {
        for (const { failed } of batch) failed(error);
        continue;
      }
      for (const { block, done } of batch) {
        const earlier = this.#puts.get(block.blockIndex);
        this.#puts.set(block.blockIndex, block.hash);
        done(earlier);
      }
    }
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
      this.#lengthBytes += bytes.length;
    } catch (error) {
      // Such as a full disk.
      await this.#file.truncate(this.#lengthBytes);
      throw error;
    }
  }
}

export interface PendingContent {
  readonly base: SnapshotManifest;
  readonly puts: Map<number, BlockHash>;
  /** What follows is torn. */
  readonly lengthBytes: number;
}

/** @throws {ToolError} ERR_STORE_DAMAGED if it does not begin with a manifest. */
export function decodePending(bytes: Buffer, path: string): PendingContent {
  const { manifest, lengthBytes: start } = decodeManifestAtStart(bytes, path);
  const puts = new Map<number, BlockHash>();
  let position = start;
  while (position + RECORD_BYTES <= bytes.length) {
    const record = bytes.subarray(position, position + RECORD_BYTES);
    if (crc32(record.subarray(0, SUM_START)) !== record.readUInt32BE(SUM_START)) break;
    puts.set(record.readUInt32BE(0), record.toString("hex", HASH_START, SUM_START));
    position += RECORD_BYTES;
  }
  return { base: manifest, puts, lengthBytes: position };
}

function encodeRecords(blocks: readonly ManifestBlock[]): Buffer {
  const bytes = Buffer.alloc(blocks.length * RECORD_BYTES);
  for (const [number, { blockIndex, hash }] of blocks.entries()) {
    const record = bytes.subarray(number * RECORD_BYTES, (number + 1) * RECORD_BYTES);
    record.writeUInt32BE(blockIndex, 0);
    record.write(hash, HASH_START, "hex");
    record.writeUInt32BE(crc32(record.subarray(0, SUM_START)), SUM_START);
  }
  return bytes;
}

function sorted(blocks: ReadonlyMap<number, BlockHash>): ManifestBlock[] {
  return [...blocks].map(([blockIndex, hash]) => ({ blockIndex, hash })).sort((a, b) => a.blockIndex - b.blockIndex);
}
