import { join } from "node:path";
import type { SnapshotId, VolumeId } from "../../base/ids.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { STORE_MODE } from "../make-store-directory.ts";

/** Where a store keeps its disks. All of it is on one file system. */
export interface StoreLayout {
  readonly blockDirectory: string;
  readonly snapshotDirectory: string;
  readonly volumeDirectory: string;
  readonly attachmentDirectory: string;
  /** Emptied when the store is opened. */
  readonly scratchDirectory: string;
}

export function storeLayout(storeDirectory: string): StoreLayout {
  return {
    blockDirectory: join(storeDirectory, "blocks"),
    snapshotDirectory: join(storeDirectory, "snapshots"),
    volumeDirectory: join(storeDirectory, "volumes"),
    attachmentDirectory: join(storeDirectory, "attachments"),
    scratchDirectory: join(storeDirectory, "scratch"),
  };
}

export async function makeStoreDirectories(layout: StoreLayout): Promise<void> {
  await Promise.all(Object.values(layout).map((directory) => makeDirectories(directory, STORE_MODE)));
}

/** What is still being written has this at its end, and is removed when the store is opened. */
export const UNFINISHED = ".new";

export function manifestPath(layout: StoreLayout, snapshotId: SnapshotId): string {
  return join(layout.snapshotDirectory, `${fileName(snapshotId)}.manifest`);
}

/** What has been put so far into a snapshot that is written block by block. */
export function pendingPath(layout: StoreLayout, snapshotId: SnapshotId): string {
  return join(layout.snapshotDirectory, `${fileName(snapshotId)}${PENDING}`);
}

/** How the names of those end. */
export const PENDING = ".pending";

/** The sparse file that is the volume. */
export function volumePath(layout: StoreLayout, volumeId: VolumeId): string {
  return join(layout.volumeDirectory, `${fileName(volumeId)}.disk`);
}

/** The manifest of the snapshot that a volume was made from, as it was then. */
export function basePath(layout: StoreLayout, volumeId: VolumeId): string {
  return join(layout.volumeDirectory, `${fileName(volumeId)}.base`);
}

export function attachmentPath(layout: StoreLayout, volumeId: VolumeId): string {
  return join(layout.attachmentDirectory, `${fileName(volumeId)}.json`);
}

function fileName(id: string): string {
  // Ids come from outside, and one of them must never lead out of the store.
  if (!/^[a-z]+-[A-Za-z0-9-]+$/.test(id)) throw new RangeError(`Cannot name a file after "${id}"`);
  return id;
}
