import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { forEachParallel } from "../../base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { type BlockHash, isBlockHash } from "./block-hash.ts";
import { blockPath, type CacheLayout } from "./cache-layout.ts";

const LOOKS_MAX = 4;

/** Knows which blocks are on disk and when each was used last, and removes the oldest when they are too many. */
export class StoredBlocks implements AsyncDisposable {
  readonly #layout: CacheLayout;
  readonly #countMax: number;
  /** The one that was used longest ago first. Undefined until the directory has been looked through. */
  #hashes: Set<BlockHash> | undefined;
  /** Until then: what was read and written, in this order. */
  readonly #usedMeanwhile = new Map<BlockHash, "read" | "written">();
  #looking: Promise<Set<BlockHash>> | undefined;
  #trimming: Promise<void> = Promise.resolve();
  #isTrimWanted = false;
  #hasGrown = false;
  #isClosing = false;

  constructor(layout: CacheLayout, bytesMax: number) {
    this.#layout = layout;
    this.#countMax = Math.floor(bytesMax / SNAPSHOT_BLOCK_BYTES);
  }

  noteRead(hash: BlockHash): void {
    // It may have been removed while it was read.
    if (this.#hashes?.delete(hash)) this.#hashes.add(hash);
    if (this.#hashes === undefined) this.#noteMeanwhile(hash, this.#usedMeanwhile.get(hash) ?? "read");
  }

  noteWritten(hash: BlockHash): void {
    this.#hashes?.delete(hash);
    this.#hashes?.add(hash);
    if (this.#hashes === undefined) this.#noteMeanwhile(hash, "written");
    this.#hasGrown = true;
    this.trim();
  }

  noteGone(hash: BlockHash): void {
    this.#hashes?.delete(hash);
    this.#usedMeanwhile.delete(hash);
  }

  #noteMeanwhile(hash: BlockHash, how: "read" | "written"): void {
    this.#usedMeanwhile.delete(hash);
    this.#usedMeanwhile.set(hash, how);
  }

  /**
   * Removes what is too much, in the background. For that the directory is looked through, once: who never writes need
   * not wait for it.
   */
  trim(): void {
    if (this.#isTrimWanted) return;
    this.#isTrimWanted = true;
    this.#trimming = this.#trimming.then(async () => {
      this.#looking ??= this.#look();
      const hashes = await this.#looking;
      this.#isTrimWanted = false;
      await this.#removeOldest(hashes);
    });
  }

  trimmed(): Promise<void> {
    return this.#trimming;
  }

  /** What is too much goes now, unless that would only be to look. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = !this.#hasGrown;
    await this.#trimming;
  }

  async #look(): Promise<Set<BlockHash>> {
    const { blockDirectory } = this.#layout;
    const found: { readonly hash: BlockHash; readonly usedMs: number }[] = [];
    await forEachParallel(await namesIn(blockDirectory), LOOKS_MAX, async (prefix) => {
      for (const name of await namesIn(join(blockDirectory, prefix))) {
        if (this.#isClosing) return;
        const hash = prefix + name;
        if (!isBlockHash(hash)) continue;
        // ENOENT: it was damaged, and has been removed meanwhile.
        const status = await stat(join(blockDirectory, prefix, name)).catch(() => undefined);
        if (status !== undefined) found.push({ hash, usedMs: status.mtimeMs });
      }
    });
    found.sort((a, b) => a.usedMs - b.usedMs);
    const hashes = new Set(found.map(({ hash }) => hash));
    // What has been used meanwhile is younger than all the rest.
    for (const [hash, how] of this.#usedMeanwhile) {
      const isThere = hashes.delete(hash) || how === "written";
      if (isThere) hashes.add(hash);
    }
    this.#hashes = hashes;
    this.#usedMeanwhile.clear();
    return hashes;
  }

  async #removeOldest(hashes: Set<BlockHash>): Promise<void> {
    for (const hash of hashes) {
      if (hashes.size <= this.#countMax || this.#isClosing) return;
      hashes.delete(hash);
      // Whoever reads it now has it open, and reads on. On a disk that is read-only it stays.
      await rm(blockPath(this.#layout, hash), { force: true }).catch(() => {});
    }
  }
}

/** @returns nothing for what is no directory, or cannot be read. */
function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
