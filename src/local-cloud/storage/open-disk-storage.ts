import { copyFile, readdir, realpath, rename, rm, statfs } from "node:fs/promises";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { systemCode, ToolError } from "../../base/errors.ts";
import type { SnapshotId, VolumeId } from "../../base/ids.ts";
import { syncDirectory, writeFileAtomically } from "../../linux/files/atomic-file.ts";
import type { FileLock } from "../../linux/files/file-lock.ts";
import { Attachments } from "./attachments.ts";
import { BlockBuffers } from "./block-buffers.ts";
import { BlockFiles } from "./block-files.ts";
import type { BlockHash } from "./block-medium.ts";
import { BlockMemory } from "./block-memory.ts";
import { BlockStore } from "./block-store.ts";
import { type ProgressOptions, type StoreDiskOptions, storeDisk, writeDisk } from "./disk-blocks.ts";
import type { AttachedDisk, DiskStorage, LentBlock, SnapshotContent } from "./disk-storage.ts";
import { PendingSnapshots } from "./pending-snapshots.ts";
import { RecentManifests } from "./recent-manifests.ts";
import { emptyScratch, noteUnfinished, openScratch, type Scratch } from "./scratch.ts";
import { blocksOfManifests, readManifestFile, removeUnfinished } from "./settle-files.ts";
import { contentOf, encodeManifest, type ManifestBlock, type SnapshotManifest } from "./snapshot-manifest.ts";
import {
  basePath,
  makeStoreDirectories,
  manifestPath,
  type StoreLayout,
  storeLayout,
  UNFINISHED,
  volumePath,
} from "./store-layout.ts";

export type BlockPlace = "disk" | "memory";

export interface DiskStorageOptions {
  /** Made if it is missing. */
  readonly storeDirectory: string;
  /**
   * The lock that keeps others from opening the store. Commands under way hold it too: a killed daemon's `losetup` must
   * not take away the device that the next one has just taken over. Without it, nobody else may open the store.
   */
  readonly lock?: FileLock;
  /** Attached volumes look as on a Nitro instance: NVMe names and by-id links. */
  readonly nitro: boolean;
  /** Where blocks of snapshots are kept. In memory, none of them survives. @default "disk" */
  readonly blocks?: BlockPlace;
  /** Where device nodes are made. @default "/dev" */
  readonly deviceDirectory?: string;
  /** Told of what an opening or a closing cannot put right, and of devices that stay as they are in use. */
  readonly report?: (message: string, error?: unknown) => void;
}

/**
 * Opens the disks of a store: what a killed process left half-made is removed, and the devices of attached volumes
 * are taken back or made anew.
 *
 * Disposing of it gives back the devices that are not in use.
 */
export async function openDiskStorage(options: DiskStorageOptions): Promise<FileDiskStorage> {
  await makeStoreDirectories(storeLayout(options.storeDirectory));
  // The kernel tells the real path of a loop device's file.
  const layout = storeLayout(await realpath(options.storeDirectory));
  await removeUnfinished(layout);
  await emptyScratch(layout);
  await using undo = new AsyncDisposableStack();
  const pending = undo.use(await PendingSnapshots.open(layout));
  const medium = options.blocks === "memory" ? new BlockMemory() : await BlockFiles.open(layout.blockDirectory);
  const used = [...pending.hashes(), ...(await blocksOfManifests(layout))];
  const blocks = await BlockStore.open(medium, used);
  const attachments = await Attachments.open(layout, {
    nitro: options.nitro,
    deviceDirectory: options.deviceDirectory ?? "/dev",
    held: options.lock === undefined ? {} : { extraFds: [options.lock.fd] },
    report: options.report ?? (() => {}),
  });
  undo.move();
  return new FileDiskStorage(layout, blocks, attachments, pending);
}

/** Disks as files: see `store-layout.ts`. */
export class FileDiskStorage implements DiskStorage {
  readonly #layout: StoreLayout;
  readonly #blocks: BlockStore;
  readonly #attachments: Attachments;
  readonly #pending: PendingSnapshots;
  readonly #buffers = new BlockBuffers();
  readonly #manifests = new RecentManifests((id) => readManifestFile(manifestPath(this.#layout, id)));

  constructor(layout: StoreLayout, blocks: BlockStore, attachments: Attachments, pending: PendingSnapshots) {
    this.#layout = layout;
    this.#blocks = blocks;
    this.#attachments = attachments;
    this.#pending = pending;
  }

  /** See `openScratch`. */
  openScratch(): Promise<Scratch> {
    return openScratch(this.#layout);
  }

  /** See `noteUnfinished`. */
  noteUnfinished(path: string): Promise<AsyncDisposable> {
    return noteUnfinished(this.#layout, path);
  }

  async createVolume(volumeId: VolumeId, source: { sizeBytes: number; snapshotId?: SnapshotId }): Promise<void> {
    this.#refuseAttached(volumeId, "make");
    const manifest = source.snapshotId === undefined ? undefined : await this.readManifest(source.snapshotId);
    const content = manifest ?? { sizeBytes: source.sizeBytes, blocks: [] };
    if (content.sizeBytes > source.sizeBytes) {
      throw new RangeError(`Cannot make a volume of ${source.sizeBytes} bytes of a snapshot of ${content.sizeBytes}`);
    }
    await this.#writeVolume(volumeId, content, source.sizeBytes);
    const base = basePath(this.#layout, volumeId);
    if (source.snapshotId === undefined) await rm(base, { force: true });
    else await copyFile(manifestPath(this.#layout, source.snapshotId), base);
    const path = volumePath(this.#layout, volumeId);
    await rename(path + UNFINISHED, path);
    await syncDirectory(this.#layout.volumeDirectory);
  }

  async deleteVolume(volumeId: VolumeId): Promise<void> {
    this.#refuseAttached(volumeId, "delete");
    for (const path of [volumePath(this.#layout, volumeId), basePath(this.#layout, volumeId)]) {
      await rm(path, { force: true });
    }
    await syncDirectory(this.#layout.volumeDirectory);
  }

  attach(volumeId: VolumeId, deviceName: string): Promise<AttachedDisk> {
    return this.#attachments.attach(volumeId, deviceName);
  }

  detach(volumeId: VolumeId): Promise<boolean> {
    return this.#attachments.detach(volumeId);
  }

  async createSnapshot(snapshotId: SnapshotId, volumeId: VolumeId): Promise<SnapshotContent> {
    await this.#attachments.flush(volumeId);
    const base = await readManifestFile(basePath(this.#layout, volumeId));
    return this.#storeSnapshot(snapshotId, volumePath(this.#layout, volumeId), { base });
  }

  /** Stores a disk file that is no volume, such as one that is imported. */
  async importSnapshot(snapshotId: SnapshotId, path: string, options: StoreDiskOptions = {}): Promise<SnapshotContent> {
    return this.#storeSnapshot(snapshotId, path, options);
  }

  /** Writes the content of a snapshot into a new sparse file. After a failure there is none. */
  async exportSnapshot(snapshotId: SnapshotId, path: string, options: ProgressOptions = {}): Promise<void> {
    const manifest = await this.readManifest(snapshotId);
    await this.#writeFile(path, manifest, { ...options, sizeBytes: manifest.sizeBytes });
  }

  async copySnapshot(snapshotId: SnapshotId, source: SnapshotId): Promise<SnapshotContent> {
    const manifest = await this.readManifest(source);
    const hashes = manifest.blocks.map(({ hash }) => hash);
    for (const hash of hashes) this.#blocks.retain(hash);
    try {
      await this.#writeManifest(snapshotId, manifest);
    } catch (error) {
      await this.#blocks.release(hashes);
      throw error;
    }
    return contentOf(manifest);
  }

  async deleteSnapshot(snapshotId: SnapshotId): Promise<void> {
    await this.#pending.drop(snapshotId, this.#blocks);
    this.#manifests.forget(snapshotId);
    const path = manifestPath(this.#layout, snapshotId);
    const removed = path + UNFINISHED;
    try {
      // The manifest goes first: blocks without one are garbage, a manifest without its blocks would be a lie.
      // By its name, so that of two calls only one takes the uses of the blocks back.
      await rename(path, removed);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return;
      throw error;
    }
    const manifest = await readManifestFile(removed);
    await rm(removed, { force: true });
    await syncDirectory(this.#layout.snapshotDirectory);
    await this.#blocks.release(manifest?.blocks.map(({ hash }) => hash) ?? []);
  }

  /**
   * Removes volumes and snapshots that nobody knows of any more: whoever keeps the books was killed between crossing
   * one out and deleting it.
   */
  async removeUnknown(isKnown: (id: string) => boolean): Promise<void> {
    for (const name of await readdir(this.#layout.snapshotDirectory)) {
      const [snapshotId = ""] = name.split(".", 1);
      if (!isKnown(snapshotId)) await this.deleteSnapshot(snapshotId as SnapshotId);
    }
    const volumeNames = await readdir(this.#layout.volumeDirectory);
    for (const volumeId of new Set(volumeNames.map((name) => name.split(".", 1)[0] as VolumeId))) {
      // A device that is in use keeps its volume; the next opening looks again.
      if (!isKnown(volumeId) && (await this.detach(volumeId))) await this.deleteVolume(volumeId);
    }
  }

  async describeSnapshot(snapshotId: SnapshotId): Promise<SnapshotContent> {
    return contentOf(await this.readManifest(snapshotId));
  }

  async startSnapshot(snapshotId: SnapshotId, content: { sizeBytes: number; parentId?: SnapshotId }): Promise<void> {
    const { sizeBytes, parentId } = content;
    await this.#pending.drop(snapshotId, this.#blocks);
    const { blocks } = parentId === undefined ? { blocks: [] } : await this.readManifest(parentId);
    await this.#pending.start(snapshotId, { sizeBytes, blocks }, this.#blocks);
  }

  putBlock(snapshotId: SnapshotId, block: ManifestBlock, data: Buffer): Promise<boolean> {
    return this.#pending.put(snapshotId, block, data, this.#blocks);
  }

  isWritten(snapshotId: SnapshotId): boolean {
    return this.#pending.has(snapshotId);
  }

  async sealSnapshot(
    snapshotId: SnapshotId,
    check: (puts: readonly ManifestBlock[]) => void,
  ): Promise<SnapshotContent> {
    const write = (manifest: SnapshotManifest) => this.#writeManifest(snapshotId, manifest);
    await this.#pending.seal(snapshotId, check, this.#blocks, write);
    return this.describeSnapshot(snapshotId);
  }

  async readManifest(snapshotId: SnapshotId): Promise<SnapshotManifest> {
    const manifest = await this.#manifests.read(snapshotId);
    if (manifest !== undefined) return manifest;
    throw new ToolError("ERR_NO_SNAPSHOT", `Cannot read snapshot "${snapshotId}": the store has no such snapshot`);
  }

  async readBlock(hash: BlockHash): Promise<LentBlock | undefined> {
    // Whoever deletes the snapshot meanwhile does not take the block away.
    if (!this.#blocks.retain(hash)) return undefined;
    const view = this.#blocks.view(hash);
    const data = view ?? this.#buffers.take();
    const release = () => {
      if (view === undefined) this.#buffers.giveBack(data);
      // It removes the block if the snapshot has gone; if that fails, the next opening does it.
      this.#blocks.release([hash]).catch(() => {});
    };
    try {
      if (view === undefined) await this.#blocks.read(hash, data);
    } catch (error) {
      release();
      throw error;
    }
    return { data, [Symbol.dispose]: release };
  }

  async freeBytes(): Promise<number> {
    // With what is kept for root: a daemon that attaches is root.
    const { bfree, bsize } = await statfs(this.#layout.volumeDirectory);
    return bfree * bsize;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pending[Symbol.asyncDispose]();
    await this.#attachments.giveBack();
  }

  async #storeSnapshot(snapshotId: SnapshotId, path: string, options: StoreDiskOptions): Promise<SnapshotContent> {
    const replaced = await readManifestFile(manifestPath(this.#layout, snapshotId));
    const manifest = await storeDisk(path, this.#blocks, options);
    try {
      await this.#writeManifest(snapshotId, manifest);
    } catch (error) {
      await this.#blocks.release(manifest.blocks.map(({ hash }) => hash));
      throw error;
    }
    if (replaced !== undefined) await this.#blocks.release(replaced.blocks.map(({ hash }) => hash));
    return contentOf(manifest);
  }

  async #writeVolume(volumeId: VolumeId, manifest: SnapshotManifest, sizeBytes: number): Promise<void> {
    const path = volumePath(this.#layout, volumeId) + UNFINISHED;
    await rm(path, { force: true });
    await this.#writeFile(path, manifest, { sizeBytes });
  }

  async #writeFile(
    path: string,
    manifest: SnapshotManifest,
    options: ProgressOptions & { readonly sizeBytes: number },
  ): Promise<void> {
    // The snapshot may be deleted meanwhile; its blocks stay until this is done.
    const hashes = manifest.blocks.map(({ hash }) => hash).filter((hash) => this.#blocks.retain(hash));
    try {
      await writeDisk(path, manifest, this.#blocks, options);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") await rm(path, { force: true });
      throw error;
    } finally {
      await this.#blocks.release(hashes);
    }
  }

  async #writeManifest(snapshotId: SnapshotId, manifest: SnapshotManifest): Promise<void> {
    this.#manifests.forget(snapshotId);
    await writeFileAtomically(manifestPath(this.#layout, snapshotId), encodeManifest(manifest));
  }

  #refuseAttached(volumeId: VolumeId, verb: string): void {
    if (!this.#attachments.isAttached(volumeId)) return;
    throw new ToolError("ERR_VOLUME_ATTACHED", `Cannot ${verb} volume "${volumeId}": it is attached`);
  }
}
