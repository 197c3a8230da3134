import { readdir, rm } from "node:fs/promises";
import { basename } from "node:path";
import type { SnapshotId } from "../../base/ids.ts";
import type { BlockHash } from "./block-medium.ts";
import type { BlockStore } from "./block-store.ts";
import { PendingSnapshot } from "./pending-snapshot.ts";
import type { ManifestBlock, SnapshotManifest } from "./snapshot-manifest.ts";
import { manifestPath, PENDING, pendingPath, type StoreLayout } from "./store-layout.ts";

/** The snapshots of a store that are being written block by block. */
export class PendingSnapshots implements AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #snapshots = new Map<SnapshotId, PendingSnapshot>();

  private constructor(layout: StoreLayout) {
    this.#layout = layout;
  }

  /** Takes back those that were being written when the last process ended. */
  static async open(layout: StoreLayout): Promise<PendingSnapshots> {
    const opened = new PendingSnapshots(layout);
    const names = await readdir(layout.snapshotDirectory);
    try {
      for (const name of names.filter((candidate) => candidate.endsWith(PENDING))) {
        const snapshotId = name.slice(0, -PENDING.length) as SnapshotId;
        const path = pendingPath(layout, snapshotId);
        // With its manifest there, it was sealed.
        if (names.includes(basename(manifestPath(layout, snapshotId)))) await rm(path, { force: true });
        else opened.#snapshots.set(snapshotId, await PendingSnapshot.open(path));
      }
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  has(snapshotId: SnapshotId): boolean {
    return this.#snapshots.has(snapshotId);
  }

  /** One hash for each use of a block. */
  hashes(): BlockHash[] {
    return [...this.#snapshots.values()].flatMap((snapshot) => snapshot.hashes());
  }

  async start(snapshotId: SnapshotId, base: SnapshotManifest, blocks: BlockStore): Promise<void> {
    const hashes = base.blocks.map(({ hash }) => hash);
    for (const hash of hashes) blocks.retain(hash);
    try {
      const pending = await PendingSnapshot.create(pendingPath(this.#layout, snapshotId), base);
      this.#snapshots.set(snapshotId, pending);
    } catch (error) {
      await blocks.release(hashes);
      throw error;
    }
  }

  /** @returns false, with nothing written, if there is no such snapshot. */
  async put(snapshotId: SnapshotId, block: ManifestBlock, data: Buffer, blocks: BlockStore): Promise<boolean> {
    const pending = this.#snapshots.get(snapshotId);
    if (pending === undefined) return false;
    await blocks.put(block.hash, data);
    let unused: BlockHash | undefined = block.hash;
    try {
      await blocks.sync();
      unused = await pending.put(block);
    } finally {
      if (unused !== undefined) await blocks.release([unused]);
    }
    return true;
  }

  /**
   * Turns one into a manifest, which `write` makes durable, if there is such a snapshot.
   *
   * @param check is given what was put; nothing changes if it throws.
   */
  async seal(
    snapshotId: SnapshotId,
    check: (puts: readonly ManifestBlock[]) => void,
    blocks: BlockStore,
    write: (manifest: SnapshotManifest) => Promise<void>,
  ): Promise<void> {
    const pending = this.#snapshots.get(snapshotId);
    if (pending === undefined) return;
    check(pending.puts());
    await write(pending.manifest());
    // What is left of the writing is garbage now.
    this.#snapshots.delete(snapshotId);
    await blocks.release(pending.replaced());
    await pending.remove();
  }

  /** Ends the writing of one, if there is such a snapshot, with nothing left of it. */
  async drop(snapshotId: SnapshotId, blocks: BlockStore): Promise<void> {
    const pending = this.#snapshots.get(snapshotId);
    if (pending === undefined) return;
    await pending.remove();
    this.#snapshots.delete(snapshotId);
    await blocks.release(pending.hashes());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pending of this.#snapshots.values()) await pending[Symbol.asyncDispose]();
  }
}
