const INDEX_BYTES = 4;
const HASH_BYTES = 32;

/** Of one block: its index (32 bits, big endian) and its SHA-256. */
export const BLOCK_ENTRY_BYTES = INDEX_BYTES + HASH_BYTES;

/** In a list of hashes: the block is there, and nobody knows its content. No SHA-256 of anything is known to be this. */
export const UNKNOWN_SHA256: Uint8Array = new Uint8Array(HASH_BYTES);

export function isUnknown(sha256: Uint8Array): boolean {
  return Buffer.compare(sha256, UNKNOWN_SHA256) === 0;
}

export interface BlockHash {
  readonly blockIndex: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** The hashes of the blocks of a disk, ascending by index: 36 bytes each, so that those of a TiB take 72 MiB. */
export class BlockHashes {
  static readonly NONE = new BlockHashes(Buffer.alloc(0));

  /** Entries, one behind the other. */
  readonly bytes: Buffer;

  /** @param bytes entries that ascend. */
  private constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /**
   * Entries that are packed already. They are not copied.
   *
   * @returns undefined if their indexes do not ascend, or the last one is cut short.
   */
  static packed(bytes: Buffer): BlockHashes | undefined {
    if (bytes.length % BLOCK_ENTRY_BYTES !== 0) return undefined;
    const hashes = new BlockHashes(bytes);
    for (let position = 1; position < hashes.count; position++) {
      if (hashes.indexAt(position - 1) >= hashes.indexAt(position)) return undefined;
    }
    return hashes;
  }

  /** In any order. Of two for one block, the later one counts. */
  static from(entries: Iterable<BlockHash>): BlockHashes {
    const list = new BlockHashList();
    for (const entry of entries) list.add(entry);
    return list.sorted();
  }

  get count(): number {
    return this.bytes.length / BLOCK_ENTRY_BYTES;
  }

  /** These, with `others` over them. */
  with(others: BlockHashes): BlockHashes {
    if (this.count === 0) return others;
    const list = new BlockHashList();
    for (const hashes of [this, others]) for (const entry of hashes) list.add(entry);
    return list.sorted();
  }

  indexAt(position: number): number {
    return this.bytes.readUInt32BE(position * BLOCK_ENTRY_BYTES);
  }

  /** Not a copy. */
  hashAt(position: number): Buffer {
    const start = position * BLOCK_ENTRY_BYTES + INDEX_BYTES;
    return this.bytes.subarray(start, start + HASH_BYTES);
  }

  /** Not a copy. */
  get(blockIndex: number): Buffer | undefined {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.indexAt(middle) < blockIndex) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.indexAt(low) === blockIndex ? this.hashAt(low) : undefined;
  }

  *indexes(): Generator<number, void> {
    for (let position = 0; position < this.count; position++) yield this.indexAt(position);
  }

  *[Symbol.iterator](): Generator<BlockHash, void> {
    for (let position = 0; position < this.count; position++) {
      yield { blockIndex: this.indexAt(position), sha256: this.hashAt(position) };
    }
  }
}

/** Collects hashes of blocks in any order. */
export class BlockHashList {
  #bytes: Buffer = Buffer.alloc(64 * BLOCK_ENTRY_BYTES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ blockIndex, sha256 }: BlockHash): void {
    const start = this.#count * BLOCK_ENTRY_BYTES;
    if (start === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    this.#bytes.writeUInt32BE(blockIndex, start);
    this.#bytes.set(sha256, start + INDEX_BYTES);
    this.#count++;
  }

  /** A copy, as it is now. Of two hashes for one block, the later one counts. */
  sorted(): BlockHashes {
    const indexAt = (entry: number) => this.#bytes.readUInt32BE(entry * BLOCK_ENTRY_BYTES);
    const order = Uint32Array.from({ length: this.#count }, (_, entry) => entry);
    order.sort((a, b) => indexAt(a) - indexAt(b) || a - b);
    const last = order.filter((entry, position) => {
      const next = order[position + 1];
      return next === undefined || indexAt(next) !== indexAt(entry);
    });
    const bytes = Buffer.allocUnsafe(last.length * BLOCK_ENTRY_BYTES);
    for (const [position, entry] of last.entries()) {
      const start = entry * BLOCK_ENTRY_BYTES;
      this.#bytes.copy(bytes, position * BLOCK_ENTRY_BYTES, start, start + BLOCK_ENTRY_BYTES);
    }
    return BlockHashes.packed(bytes) ?? BlockHashes.NONE;
  }
}
