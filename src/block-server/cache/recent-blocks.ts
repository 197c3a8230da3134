import type { BlockHash } from "./block-hash.ts";

/** Blocks that were used last, in memory: what is read again soon is neither read from disk nor hashed again. */
export class RecentBlocks {
  readonly #bytesMax: number;
  #bytes = 0;
  /** The one that was used longest ago first. */
  readonly #blocks = new Map<BlockHash, Uint8Array>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(hash: BlockHash): Uint8Array | undefined {
    const data = this.#blocks.get(hash);
    if (data === undefined) return undefined;
    this.#blocks.delete(hash);
    this.#blocks.set(hash, data);
    return data;
  }

  /** @param data from now on nobody's to change. */
  add(hash: BlockHash, data: Uint8Array): void {
    if (this.get(hash) !== undefined) return;
    this.#blocks.set(hash, data);
    this.#bytes += data.byteLength;
    for (const [oldest, { byteLength }] of this.#blocks) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#blocks.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}
