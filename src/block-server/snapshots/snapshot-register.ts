import type { BlockCache } from "../cache/block-cache.ts";
import { SharedSnapshot } from "./shared-snapshot.ts";
import { indexPath, type SnapshotKey } from "./snapshot-index.ts";

export interface SnapshotLease extends AsyncDisposable {
  readonly snapshot: SharedSnapshot;
}

/** The snapshots that are in use, each open once. */
export class SnapshotRegister {
  readonly #cache: BlockCache;
  readonly #snapshotDirectory: string;
  readonly #open = new Map<string, { readonly snapshot: SharedSnapshot; useCount: number }>();

  constructor(cache: BlockCache, snapshotDirectory: string) {
    this.#cache = cache;
    this.#snapshotDirectory = snapshotDirectory;
  }

  /** @throws {RangeError} for a key that is none. */
  use(key: SnapshotKey): SnapshotLease {
    const path = indexPath(this.#snapshotDirectory, key);
    const entry = this.#open.get(path) ?? { snapshot: new SharedSnapshot(this.#cache, path), useCount: 0 };
    this.#open.set(path, entry);
    entry.useCount++;
    let isReleased = false;
    const release = async () => {
      if (isReleased) return;
      isReleased = true;
      entry.useCount--;
      if (entry.useCount > 0) return;
      this.#open.delete(path);
      await entry.snapshot[Symbol.asyncDispose]();
    };
    return { snapshot: entry.snapshot, [Symbol.asyncDispose]: release };
  }
}
