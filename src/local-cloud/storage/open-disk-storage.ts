import { copyFile, mkdtemp, readdir, readFile, realpath, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemCode, ToolError } from "../../base/errors.ts";
import type { SnapshotId, VolumeId } from "../../base/ids.ts";
import { syncDirectory, writeFileAtomically } from "../../linux/atomic-file.ts";
import type { FileLock } from "../../linux/file-lock.ts";
import { Attachments } from "./attachments.ts";
import { BlockStore } from "./block-store.ts";
import { type ProgressOptions, type StoreDiskOptions, storeDisk, writeDisk } from "./disk-blocks.ts";
import type { AttachedDisk, DiskStorage, SnapshotContent } from "./disk-storage.ts";
import { contentOf, decodeManifest, encodeManifest, type SnapshotManifest } from "./snapshot-manifest.ts";
import {
  basePath,
  makeStoreDirectories,
  manifestPath,
  type StoreLayout,
  storeLayout,
  UNFINISHED,
  volumePath,
} from "./store-layout.ts";

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
  await Promise.all([layout.snapshotDirectory, layout.volumeDirectory].map(removeUnfinished));
  await removeStrayBases(layout);
  await emptyDirectory(layout.scratchDirectory);
  const blocks = await BlockStore.open(layout.blockDirectory, await usedBlocks(layout));
  const attachments = await Attachments.open(layout, {
    nitro: options.nitro,
    deviceDirectory: options.deviceDirectory ?? "/dev",
    held: options.lock === undefined ? {} : { extraFds: [options.lock.fd] },
    report: options.report ?? (() => {}),
  });
  return new FileDiskStorage(layout, blocks, attachments);
}

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** Disks as files: see `store-layout.ts`. */
export class FileDiskStorage implements DiskStorage {
  readonly #layout: StoreLayout;
  readonly #blocks: BlockStore;
  readonly #attachments: Attachments;

  constructor(layout: StoreLayout, blocks: BlockStore, attachments: Attachments) {
    this.#layout = layout;
    this.#blocks = blocks;
    this.#attachments = attachments;
  }

  /** A new directory on the store's file system, for what is on its way in or out. Removed when disposed of. */
  async openScratch(): Promise<Scratch> {
    const path = await mkdtemp(join(this.#layout.scratchDirectory, "work-"));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  }

  async createVolume(volumeId: VolumeId, source: { sizeBytes: number; snapshotId?: SnapshotId }): Promise<void> {
    this.#refuseAttached(volumeId, "make");
    const manifest = source.snapshotId === undefined ? undefined : await this.#readManifest(source.snapshotId);
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
    const manifest = await this.#readManifest(snapshotId);
    await this.#writeFile(path, manifest, { ...options, sizeBytes: manifest.sizeBytes });
  }

  async copySnapshot(snapshotId: SnapshotId, source: SnapshotId): Promise<SnapshotContent> {
    const manifest = await this.#readManifest(source);
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
    return contentOf(await this.#readManifest(snapshotId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
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
    await writeFileAtomically(manifestPath(this.#layout, snapshotId), encodeManifest(manifest));
  }

  async #readManifest(snapshotId: SnapshotId): Promise<SnapshotManifest> {
    const manifest = await readManifestFile(manifestPath(this.#layout, snapshotId));
    if (manifest !== undefined) return manifest;
    throw new ToolError("ERR_NO_SNAPSHOT", `Cannot read snapshot "${snapshotId}": the store has no such snapshot`);
  }

  #refuseAttached(volumeId: VolumeId, verb: string): void {
    if (!this.#attachments.isAttached(volumeId)) return;
    throw new ToolError("ERR_VOLUME_ATTACHED", `Cannot ${verb} volume "${volumeId}": it is attached`);
  }
}

async function readManifestFile(path: string): Promise<SnapshotManifest | undefined> {
  try {
    return decodeManifest(await readFile(path), path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function removeUnfinished(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(UNFINISHED));
  for (const name of names) await rm(join(directory, name), { force: true });
}

/** Manifests of volumes that were not yet made, or not wholly deleted. */
async function removeStrayBases(layout: StoreLayout): Promise<void> {
  const names = await readdir(layout.volumeDirectory);
  const volumeIds = names.flatMap((name) =>
    name.endsWith(".base") ? [name.slice(0, -".base".length) as VolumeId] : [],
  );
  for (const volumeId of volumeIds) {
    const isStray = !names.includes(basename(volumePath(layout, volumeId)));
    if (isStray) await rm(basePath(layout, volumeId), { force: true });
  }
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
}

async function usedBlocks({ snapshotDirectory }: StoreLayout): Promise<string[]> {
  const used: string[] = [];
  for (const name of await readdir(snapshotDirectory)) {
    const path = join(snapshotDirectory, name);
    for (const { hash } of decodeManifest(await readFile(path), path).blocks) used.push(hash);
  }
  return used;
}
