import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode, ToolError } from "../../base/errors.ts";
import { forEachParallel } from "../../base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { syncDirectory } from "../../linux/atomic-file.ts";
import { UNFINISHED } from "./store-layout.ts";

/** SHA-256 of a block, 64 hexadecimal digits. */
export type BlockHash = string;

interface Entry {
  /** How many blocks of snapshots, written or being written, have this content. */
  references: number;
  /** Resolves when the file is complete. */
  readonly stored: Promise<void>;
  isComplete: boolean;
}

const COMPLETE = Promise.resolve();
const FAN_OUT = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));
const REMOVALS_MAX = 4;

/**
 * Blocks of 512 KiB, each kept once under the hash of its content.
 *
 * Who uses a block says so (`put`, `retain`) and takes it back (`release`); the last one removes the file. The counts
 * are in memory only: at opening they are taken from the manifests, and files that nothing uses are removed, so that
 * a killed process leaves nothing behind.
 */
export class BlockStore {
  readonly #directory: string;
  readonly #entries = new Map<BlockHash, Entry>();
  readonly #removals = new Map<BlockHash, Promise<void>>();
  #unsyncedDirectories = new Set<string>();
  #syncing: Promise<void> = COMPLETE;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** @param used one hash for each use of a block: those in all manifests. */
  static async open(directory: string, used: Iterable<BlockHash>): Promise<BlockStore> {
    const store = new BlockStore(directory);
    for (const hash of used) {
      const entry = store.#entries.get(hash);
      if (entry === undefined) store.#entries.set(hash, { references: 1, stored: COMPLETE, isComplete: true });
      else entry.references++;
    }
    if ((await readdir(directory)).length < FAN_OUT.length) {
      for (const name of FAN_OUT) await mkdir(join(directory, name), { recursive: true });
      await syncDirectory(directory);
    }
    await store.#removeUnused();
    return store;
  }

  /** Keeps a block, if it is not there already, and counts one use of it. It is durable after the next `sync`. */
  async put(hash: BlockHash, data: Uint8Array): Promise<void> {
    // Until the file of an earlier block of this content is gone, its name is not free.
    for (let removal = this.#removals.get(hash); removal !== undefined; removal = this.#removals.get(hash))
      await removal;
    const known = this.#entries.get(hash);
    if (known !== undefined) {
      known.references++;
      return known.stored;
    }
    const entry: Entry = { references: 1, stored: this.#write(hash, data), isComplete: false };
    this.#entries.set(hash, entry);
    try {
      await entry.stored;
      entry.isComplete = true;
    } catch (error) {
      // Those who wait for the same write fail with it, and none of them has a use to take back.
      this.#entries.delete(hash);
      throw error;
    }
  }

  /** Counts one more use of a block. @returns false if there is no such block, or not yet. */
  retain(hash: BlockHash): boolean {
    const entry = this.#entries.get(hash);
    if (!entry?.isComplete) return false;
    entry.references++;
    return true;
  }

  /** Takes back one use each, and removes the blocks that nobody uses any more. */
  async release(hashes: Iterable<BlockHash>): Promise<void> {
    const unused: BlockHash[] = [];
    for (const hash of hashes) {
      const entry = this.#entries.get(hash);
      if (entry === undefined) continue;
      entry.references--;
      if (entry.references > 0) continue;
      this.#entries.delete(hash);
      unused.push(hash);
    }
    await forEachParallel(unused, REMOVALS_MAX, (hash) => this.#remove(hash));
  }

  /**
   * Reads a block into `target`, which is `SNAPSHOT_BLOCK_BYTES` long.
   *
   * @throws {ToolError} ERR_STORE_DAMAGED if the file is gone or short.
   */
  async read(hash: BlockHash, target: Uint8Array): Promise<void> {
    let bytesRead = 0;
    try {
      await using file = await open(this.#pathOf(hash), "r");
      ({ bytesRead } = await file.read(target, 0, SNAPSHOT_BLOCK_BYTES, 0));
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
    if (bytesRead !== SNAPSHOT_BLOCK_BYTES) throw damaged(this.#pathOf(hash), bytesRead);
  }

  /** Makes every block that was put before this call durable. */
  async sync(): Promise<void> {
    // One after another: a block written for somebody else counts only when the sync that took it is over.
    const before = this.#syncing;
    this.#syncing = (async () => {
      await before.catch(() => {});
      const directories = this.#unsyncedDirectories;
      this.#unsyncedDirectories = new Set();
      await forEachParallel([...directories], REMOVALS_MAX, syncDirectory);
    })();
    await this.#syncing;
  }

  #pathOf(hash: BlockHash): string {
    return join(this.#directory, hash.slice(0, 2), hash.slice(2));
  }

  async #write(hash: BlockHash, data: Uint8Array): Promise<void> {
    const path = this.#pathOf(hash);
    const temporaryPath = path + UNFINISHED;
    try {
      await using file = await open(temporaryPath, "w", 0o600);
      await file.writeFile(data);
      await file.datasync();
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    }
    await rename(temporaryPath, path);
    this.#unsyncedDirectories.add(dirname(path));
  }

  async #remove(hash: BlockHash): Promise<void> {
    const removal = rm(this.#pathOf(hash), { force: true }).finally(() => this.#removals.delete(hash));
    this.#removals.set(
      hash,
      removal.catch(() => {}),
    );
    await removal;
  }

  async #removeUnused(): Promise<void> {
    await forEachParallel(FAN_OUT, REMOVALS_MAX, async (prefix) => {
      const directory = join(this.#directory, prefix);
      for (const name of await readdir(directory)) {
        if (!this.#entries.has(prefix + name)) await rm(join(directory, name), { force: true });
      }
    });
  }
}

function damaged(path: string, bytesRead: number): ToolError {
  const detail = bytesRead === 0 ? "it is missing or empty" : `it has ${bytesRead} of ${SNAPSHOT_BLOCK_BYTES} bytes`;
  return new ToolError("ERR_STORE_DAMAGED", `Cannot read the block "${path}": ${detail}`, {
    hint: "Restore the store from a copy, or delete it with: amibake local reset",
    fault: "host",
  });
}
