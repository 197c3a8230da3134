import { BlockSet } from "../../base/block-set.ts";
import { type BlockHash, HASH_BYTES, hexOf } from "../cache/block-hash.ts";

/** Which blocks a snapshot has. The others are zero. */
export interface SnapshotListing {
  readonly sizeBytes: number;
  /** Ascending. */
  readonly blockIndexes: Uint32Array;
}

const BELIEVED = 1;
const LEARNT = 2;

/**
 * The blocks of a snapshot, and the hashes of those that are known. 33 bytes for each block and a bit for each hole: a
 * snapshot may have millions.
 */
export class BlockMap {
  readonly sizeBytes: number;
  readonly blockIndexes: Uint32Array;
  readonly #allocated = new BlockSet();
  readonly #hashes: Uint8Array;
  /** 0 where no hash is known. */
  readonly #origins: Uint8Array;

  constructor({ sizeBytes, blockIndexes }: SnapshotListing) {
    this.sizeBytes = sizeBytes;
    this.blockIndexes = blockIndexes;
    for (const index of blockIndexes) this.#allocated.add(index);
    this.#hashes = new Uint8Array(blockIndexes.length * HASH_BYTES);
    this.#origins = new Uint8Array(blockIndexes.length);
  }

  isAllocated(blockIndex: number): boolean {
    return this.#allocated.has(blockIndex);
  }

  /** @returns how many blocks come before it; undefined if it is not allocated. */
  positionOf(blockIndex: number): number | undefined {
    let [low, high] = [0, this.blockIndexes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.blockIndexes[middle] ?? 0) < blockIndex) low = middle + 1;
      else high = middle;
    }
    return this.blockIndexes[low] === blockIndex ? low : undefined;
  }

  hashOf(blockIndex: number): BlockHash | undefined {
    const position = this.positionOf(blockIndex);
    return position === undefined || this.#origins[position] === 0 ? undefined : hexOf(this.#hashAt(position));
  }

  /** Notes a hash that somebody says the block has. What is known already is not changed. */
  believe(blockIndex: number, sha256: Uint8Array): void {
    const position = this.positionOf(blockIndex);
    if (position === undefined || this.#origins[position] !== 0) return;
    this.#hashAt(position).set(sha256);
    this.#origins[position] = BELIEVED;
  }

  /** Notes the hash of what EBS gave. @returns false if it is no news. */
  learn(blockIndex: number, sha256: Uint8Array): boolean {
    const position = this.positionOf(blockIndex);
    if (position === undefined) return false;
    const hash = this.#hashAt(position);
    if (this.#origins[position] === LEARNT && Buffer.compare(hash, sha256) === 0) return false;
    hash.set(sha256);
    this.#origins[position] = LEARNT;
    return true;
  }

  #hashAt(position: number): Uint8Array {
    return this.#hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
  }
}
