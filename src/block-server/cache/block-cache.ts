import { rm } from "node:fs/promises";
import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { readBlockFile, writeBlockFile } from "./block-files.ts";
import type { BlockHash } from "./block-hash.ts";
import { blockPath, type CacheLayout } from "./cache-layout.ts";
import { RecentBlocks } from "./recent-blocks.ts";
import { StoredBlocks } from "./stored-blocks.ts";

/** "damaged": a block on disk was not what it should be. "unwritable": blocks cannot be kept, e.g. on a full disk. */
export type CacheTrouble = "damaged" | "unwritable";

export interface BlockCacheOptions {
  readonly layout: CacheLayout;
  /** How many bytes of blocks are kept on disk. */
  readonly cacheBytesMax: number;
  /** @default 64 MiB */
  readonly memoryBytesMax?: number;
  /** Told what the cache does without, each time it finds out. */
  readonly onTrouble: (kind: CacheTrouble, message: string) => void;
}

const MEMORY_BYTES_MAX = 64 * 1024 ** 2;
// 16 MiB that wait for the disk. What is fetched faster than it writes waits for it.
const WRITES_MAX = 32;
/** After a write that failed, so long none is tried. */
const PAUSE_MS = 30_000;

/**
 * Blocks by the hash of their content, in memory and on disk. The caller holds the lock of the directory.
 *
 * It never fails: what cannot be read is not there, and what cannot be written is not kept.
 */
export class BlockCache implements AsyncDisposable {
  readonly #options: BlockCacheOptions;
  readonly #recent: RecentBlocks;
  readonly #stored: StoredBlocks;
  readonly #reading = new Map<BlockHash, Promise<Uint8Array | undefined>>();
  readonly #writing = new Map<BlockHash, { readonly data: Uint8Array; readonly written: Promise<void> }>();
  #pausedUntilMs = 0;

  constructor(options: BlockCacheOptions) {
    this.#options = options;
    this.#recent = new RecentBlocks(options.memoryBytesMax ?? MEMORY_BYTES_MAX);
    this.#stored = new StoredBlocks(options.layout, options.cacheBytesMax);
  }

  /** @returns undefined if it is not there, or not as it was. The bytes are not the caller's to change. */
  async get(hash: BlockHash): Promise<Uint8Array | undefined> {
    const inMemory = this.#recent.get(hash) ?? this.#writing.get(hash)?.data;
    if (inMemory !== undefined) return inMemory;
    let reading = this.#reading.get(hash);
    if (reading === undefined) {
      reading = this.#readFile(hash).finally(() => this.#reading.delete(hash));
      this.#reading.set(hash, reading);
    }
    return reading;
  }

  /**
   * Keeps a block. Resolves when there is room for another one on the way to the disk, mostly at once.
   *
   * @param data from now on nobody's to change.
   */
  async add(hash: BlockHash, data: Uint8Array): Promise<void> {
    this.#recent.add(hash, data);
    if (this.#writing.has(hash) || this.#options.cacheBytesMax < data.byteLength) return;
    if (systemClock.now() < this.#pausedUntilMs) return;
    const written = this.#write(hash, data).finally(() => this.#writing.delete(hash));
    this.#writing.set(hash, { data, written });
    while (this.#writing.size >= WRITES_MAX) await Promise.race(this.#writes());
  }

  /** Counts blocks whose files somebody else has written. */
  noteWritten(hashes: Iterable<BlockHash>): void {
    for (const hash of hashes) this.#stored.noteWritten(hash);
  }

  /** Removes what is more than may be kept, in the background. */
  trim(): void {
    this.#stored.trim();
  }

  /** Resolves when what was added is on disk, and no more than may be. */
  async settle(): Promise<void> {
    await Promise.all(this.#writes());
    await this.#stored.trimmed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#writes());
    await this.#stored[Symbol.asyncDispose]();
  }

  async #readFile(hash: BlockHash): Promise<Uint8Array | undefined> {
    const { layout, onTrouble } = this.#options;
    const found = await readBlockFile(layout, hash);
    if ("data" in found) {
      this.#stored.noteRead(hash);
      this.#recent.add(hash, found.data);
      return found.data;
    }
    this.#stored.noteGone(hash);
    if ("damage" in found) {
      const path = blockPath(layout, hash);
      await rm(path, { force: true }).catch(() => {});
      onTrouble("damaged", `The block "${path}" of the cache is damaged, so it is fetched again: ${found.damage}`);
    }
    return undefined;
  }

  #writes(): Promise<void>[] {
    return [...this.#writing.values()].map(({ written }) => written);
  }

  async #write(hash: BlockHash, data: Uint8Array): Promise<void> {
    const { layout, onTrouble } = this.#options;
    try {
      await writeBlockFile(layout, hash, data);
      this.#stored.noteWritten(hash);
    } catch (error) {
      this.#pausedUntilMs = systemClock.now() + PAUSE_MS;
      const message = `Cannot keep blocks in the cache "${layout.cacheDirectory}", so the next build fetches them again`;
      onTrouble("unwritable", `${message}: ${messageOf(error)}`);
    }
  }
}
