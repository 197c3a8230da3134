import type { DiskStorage } from "../storage/disk-storage.ts";
import { Turns } from "./turns.ts";

/**
 * The storage with calls for the same volume or snapshot one after the other, as its contract asks. Calls for others go
 * on side by side, and so do those that only read a snapshot or put blocks into it.
 */
export function exclusiveStorage(storage: DiskStorage): DiskStorage {
  const turns = new Turns();
  return {
    createVolume: (volumeId, source) => {
      const shared = source.snapshotId === undefined ? [] : [source.snapshotId];
      return turns.take({ alone: [volumeId], shared }, () => storage.createVolume(volumeId, source));
    },
    deleteVolume: (volumeId) => turns.take({ alone: [volumeId] }, () => storage.deleteVolume(volumeId)),
    attach: (volumeId, deviceName) => turns.take({ alone: [volumeId] }, () => storage.attach(volumeId, deviceName)),
    detach: (volumeId) => turns.take({ alone: [volumeId] }, () => storage.detach(volumeId)),
    createSnapshot: (snapshotId, volumeId) =>
      turns.take({ alone: [snapshotId, volumeId] }, () => storage.createSnapshot(snapshotId, volumeId)),
    copySnapshot: (snapshotId, source) =>
      turns.take({ alone: [snapshotId], shared: [source] }, () => storage.copySnapshot(snapshotId, source)),
    deleteSnapshot: (snapshotId) => turns.take({ alone: [snapshotId] }, () => storage.deleteSnapshot(snapshotId)),
    describeSnapshot: (snapshotId) => turns.take({ shared: [snapshotId] }, () => storage.describeSnapshot(snapshotId)),
    startSnapshot: (snapshotId, content) => {
      const shared = content.parentId === undefined ? [] : [content.parentId];
      return turns.take({ alone: [snapshotId], shared }, () => storage.startSnapshot(snapshotId, content));
    },
    putBlock: (snapshotId, block, data) =>
      turns.take({ shared: [snapshotId] }, () => storage.putBlock(snapshotId, block, data)),
    isWritten: (snapshotId) => storage.isWritten(snapshotId),
    sealSnapshot: (snapshotId, check) =>
      turns.take({ alone: [snapshotId] }, () => storage.sealSnapshot(snapshotId, check)),
    readManifest: (snapshotId) => turns.take({ shared: [snapshotId] }, () => storage.readManifest(snapshotId)),
    // It keeps the block from being removed by itself.
    readBlock: (hash) => storage.readBlock(hash),
    freeBytes: () => storage.freeBytes(),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}
