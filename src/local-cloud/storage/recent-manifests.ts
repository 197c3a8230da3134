import type { SnapshotId } from "../../base/ids.ts";
import type { SnapshotManifest } from "./snapshot-manifest.ts";

/** Some megabytes each, for a disk of some gigabytes. */
const MANIFESTS_MAX = 8;

type Read = (snapshotId: SnapshotId) => Promise<SnapshotManifest | undefined>;

/** Manifests that were read lately: who reads a snapshot block by block asks for its manifest each time. */
export class RecentManifests {
  readonly #read: Read;
  /** The one that was asked for last is the last. */
  readonly #recent = new Map<SnapshotId, ReturnType<Read>>();

  constructor(read: Read) {
    this.#read = read;
  }

  async read(snapshotId: SnapshotId): ReturnType<Read> {
    const reading = this.#recent.get(snapshotId) ?? this.#read(snapshotId);
    this.#recent.delete(snapshotId);
    this.#recent.set(snapshotId, reading);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MANIFESTS_MAX && oldest !== undefined) this.#recent.delete(oldest);
    try {
      const manifest = await reading;
      if (manifest === undefined) this.forget(snapshotId);
      return manifest;
    } catch (error) {
      this.forget(snapshotId);
      throw error;
    }
  }

  /** To be called before it is written or removed. */
  forget(snapshotId: SnapshotId): void {
    this.#recent.delete(snapshotId);
  }
}
