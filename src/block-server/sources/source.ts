import { forEachParallel } from "../../base/parallel.ts";
import type { HashedIndexes } from "../control/protocol.ts";
import type { NbdExport } from "../nbd/nbd-export.ts";
import type { BlockMap } from "../snapshots/block-map.ts";
import { ReadAhead } from "../snapshots/read-ahead.ts";
import type { BlockFetcher, SharedSnapshot } from "../snapshots/shared-snapshot.ts";

export interface SourceOptions {
  readonly snapshot: SharedSnapshot;
  readonly map: BlockMap;
  readonly fetcher: BlockFetcher;
  /** Told of each read that fails, before the reader is. */
  readonly onFailure: (error: unknown) => void;
}

// Beside the reads of the disk. How many are really on the wire, the EBS API decides.
const HASHES_PARALLEL_MAX = 32;

/** A snapshot as one client sees it: a disk, and the hashes of its blocks. */
export class Source implements NbdExport {
  readonly sizeBytes: number;
  readonly #options: SourceOptions;
  readonly #readAhead: ReadAhead;
  readonly #reader: BlockFetcher;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.sizeBytes = options.map.sizeBytes;
    this.#readAhead = new ReadAhead(options.map.blockIndexes);
    const { fetcher } = options;
    this.#reader = {
      list: () => fetcher.list(),
      onCached: (blockIndex) => fetcher.onCached(blockIndex),
      fetch: async (blockIndex) => {
        if (this.#failure !== undefined) throw this.#failure.error;
        return fetcher.fetch(blockIndex);
      },
    };
  }

  isAllocated(blockIndex: number): boolean {
    return this.#options.map.isAllocated(blockIndex);
  }

  /**
   * Once a block could not be fetched, after all the time that this is tried for, what is in the cache can still be read.
   * The rest fails at once: whoever works on the disk has seen an error, and would else wait as long for each block.
   */
  async readBlock(blockIndex: number): Promise<Uint8Array | undefined> {
    const { snapshot, map, onFailure } = this.#options;
    const fetcher = this.#reader;
    const position = map.positionOf(blockIndex);
    if (position === undefined) return undefined;
    const reading = snapshot.read(blockIndex, fetcher);
    // After the block that somebody waits for. If it fails, whoever wants the block itself is told.
    for (const ahead of this.#readAhead.wanted(position)) void snapshot.read(ahead, fetcher).catch(() => {});
    try {
      return await reading;
    } catch (error) {
      this.#failure ??= { error };
      onFailure(error);
      throw error;
    }
  }

  /** The hashes of blocks; those that are not allocated are left out. What nobody knows yet is fetched. */
  async hashes(blockIndexes: readonly number[]): Promise<HashedIndexes> {
    const { snapshot, fetcher } = this.#options;
    const found: (readonly [blockIndex: number, hash: string])[] = [];
    await forEachParallel(blockIndexes, HASHES_PARALLEL_MAX, async (blockIndex) => {
      const hash = await snapshot.hash(blockIndex, fetcher);
      if (hash !== undefined) found.push([blockIndex, hash]);
    });
    return found;
  }
}
