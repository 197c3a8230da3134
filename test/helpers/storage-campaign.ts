// What the kill campaign of the storage does: random calls, each told before and after, so that whoever kills the
// process knows what was acknowledged. test/fixtures/storage-campaign.ts is the process.
import { createHash } from "node:crypto";
import type { SnapshotId, VolumeId } from "../../src/base/ids.ts";
import type { FileDiskStorage } from "../../src/local-cloud/storage/open-disk-storage.ts";
import { BLOCK_BYTES, writeAt } from "./disk-store.ts";

export const BLOCK_COUNT = 6;
export const DISK_BYTES = BLOCK_COUNT * BLOCK_BYTES;

/** A disk as the seeds of its blocks; 0 is a block of zeros. */
export type Disk = readonly number[];

export interface Model {
  readonly volumes: Readonly<Record<VolumeId, { readonly disk: Disk; readonly device?: string | undefined }>>;
  readonly snapshots: Readonly<Record<SnapshotId, Disk>>;
}

export type Operation =
  | { readonly method: "createVolume"; readonly volumeId: VolumeId; readonly snapshotId?: SnapshotId | undefined }
  | { readonly method: "deleteVolume"; readonly volumeId: VolumeId }
  | { readonly method: "attach"; readonly volumeId: VolumeId; readonly device: string }
  | { readonly method: "detach"; readonly volumeId: VolumeId }
  | { readonly method: "write"; readonly volumeId: VolumeId; readonly blockIndex: number; readonly seed: number }
  | { readonly method: "createSnapshot"; readonly snapshotId: SnapshotId; readonly volumeId: VolumeId }
  | { readonly method: "copySnapshot"; readonly snapshotId: SnapshotId; readonly source: SnapshotId }
  | { readonly method: "deleteSnapshot"; readonly snapshotId: SnapshotId };

export const METHODS: readonly Operation["method"][] = [
  "createVolume",
  "deleteVolume",
  "attach",
  "detach",
  "write",
  "createSnapshot",
  "copySnapshot",
  "deleteSnapshot",
];

export const EMPTY_DISK: Disk = Array.from({ length: BLOCK_COUNT }, () => 0);

export function blockOf(seed: number): Buffer {
  if (seed === 0) return Buffer.alloc(BLOCK_BYTES);
  return Buffer.alloc(BLOCK_BYTES, createHash("sha256").update(String(seed)).digest());
}

/** The model after an operation that was acknowledged. */
export function after(model: Model, operation: Operation): Model {
  const volumes = { ...model.volumes };
  const snapshots = { ...model.snapshots };
  const { method } = operation;
  if (method === "createVolume") {
    const disk = operation.snapshotId === undefined ? EMPTY_DISK : (snapshots[operation.snapshotId] ?? EMPTY_DISK);
    volumes[operation.volumeId] = { disk };
  } else if (method === "deleteVolume") {
    delete volumes[operation.volumeId];
  } else if (method === "createSnapshot") {
    snapshots[operation.snapshotId] = diskOf(model, operation.volumeId);
  } else if (method === "copySnapshot") {
    snapshots[operation.snapshotId] = snapshots[operation.source] ?? EMPTY_DISK;
  } else if (method === "deleteSnapshot") {
    delete snapshots[operation.snapshotId];
  } else {
    const disk = diskOf(model, operation.volumeId);
    const device = volumes[operation.volumeId]?.device;
    if (method === "attach") volumes[operation.volumeId] = { disk, device: operation.device };
    if (method === "detach") volumes[operation.volumeId] = { disk };
    if (method === "write") {
      volumes[operation.volumeId] = { disk: disk.with(operation.blockIndex, operation.seed), device };
    }
  }
  return { volumes, snapshots };
}

function diskOf(model: Model, volumeId: VolumeId): Disk {
  return model.volumes[volumeId]?.disk ?? EMPTY_DISK;
}

const VOLUME_IDS = ["vol-a", "vol-b", "vol-c"] as VolumeId[];
const SNAPSHOT_IDS = ["snap-a", "snap-b", "snap-c", "snap-d"] as SnapshotId[];

/** Something that may be done now; undefined if the method that was chosen may not. */
export function chooseOperation(model: Model, random: () => number): Operation | undefined {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const method = pick(METHODS);
  const volumeId = pick(VOLUME_IDS);
  const snapshotId = pick(SNAPSHOT_IDS);
  const source = pick(SNAPSHOT_IDS);
  const volume = model.volumes[volumeId];
  const isDetached = volume !== undefined && volume.device === undefined;
  if (method === "createVolume" && volume === undefined) {
    return { method, volumeId, ...(source in model.snapshots ? { snapshotId: source } : {}) };
  }
  if (method === "deleteVolume" && isDetached) return { method, volumeId };
  if (method === "attach" && isDetached) return { method, volumeId, device: `/dev/sd${volumeId.at(-1)}` };
  if (method === "detach" && volume?.device !== undefined) return { method, volumeId };
  if (method === "write" && volume !== undefined) {
    // Few seeds, so that blocks are shared.
    return { method, volumeId, blockIndex: pick([0, 1, 2, 3, 4, 5]), seed: Math.floor(random() * 9) };
  }
  if (method === "createSnapshot" && volume !== undefined && !(snapshotId in model.snapshots)) {
    return { method, snapshotId, volumeId };
  }
  if (method === "copySnapshot" && source in model.snapshots && !(snapshotId in model.snapshots)) {
    return { method, snapshotId, source };
  }
  if (method === "deleteSnapshot" && snapshotId in model.snapshots) return { method, snapshotId };
  return undefined;
}

export interface Places {
  readonly storeDirectory: string;
  readonly deviceDirectory: string;
}

export async function perform(storage: FileDiskStorage, operation: Operation, model: Model, places: Places) {
  const { method } = operation;
  if (method === "createVolume") {
    const { volumeId, snapshotId } = operation;
    return storage.createVolume(volumeId, {
      sizeBytes: DISK_BYTES,
      ...(snapshotId === undefined ? {} : { snapshotId }),
    });
  }
  if (method === "deleteVolume") return storage.deleteVolume(operation.volumeId);
  if (method === "attach") return storage.attach(operation.volumeId, operation.device);
  if (method === "createSnapshot") return storage.createSnapshot(operation.snapshotId, operation.volumeId);
  if (method === "copySnapshot") return storage.copySnapshot(operation.snapshotId, operation.source);
  if (method === "deleteSnapshot") return storage.deleteSnapshot(operation.snapshotId);
  if (method === "detach") {
    while (!(await storage.detach(operation.volumeId)));
    return;
  }
  const { volumeId, blockIndex, seed } = operation;
  await writeAt(pathOf(model, volumeId, places), blockIndex * BLOCK_BYTES, blockOf(seed));
}

/** Where the bytes of a volume are read and written: its device if it is attached, else its file. */
export function pathOf(model: Model, volumeId: VolumeId, { storeDirectory, deviceDirectory }: Places): string {
  const device = model.volumes[volumeId]?.device;
  if (device === undefined) return `${storeDirectory}/volumes/${volumeId}.disk`;
  return `${deviceDirectory}/${device.replace("/dev/sd", "xvd")}`;
}
