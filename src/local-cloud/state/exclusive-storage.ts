import type { DiskStorage } from "../storage/disk-storage.ts";

/**
 * The storage with calls for the same volume or snapshot one after the other, as
 * its contract asks. Calls for others go on side by side.
 */
export function exclusiveStorage(storage: DiskStorage): DiskStorage {
  const tails = new Map<string, Promise<unknown>>();

  function exclusively<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    // All ids are taken at once, so two calls can never wait for each other.
    const before = ids.map((id) => tails.get(id));
    const result = Promise.allSettled(before).then(work);
    const tail = result.catch(() => undefined);
    for (const id of ids) tails.set(id, tail);
    void tail.then(() => {
      for (const id of ids) if (tails.get(id) === tail) tails.delete(id);
    });
    return result;
  }

  return {
    createVolume: (volumeId, source) => {
      const ids = source.snapshotId === undefined ? [volumeId] : [volumeId, source.snapshotId];
      return exclusively(ids, () => storage.createVolume(volumeId, source));
    },
    deleteVolume: (volumeId) => exclusively([volumeId], () => storage.deleteVolume(volumeId)),
    attach: (volumeId, deviceName) => exclusively([volumeId], () => storage.attach(volumeId, deviceName)),
    detach: (volumeId) => exclusively([volumeId], () => storage.detach(volumeId)),
    createSnapshot: (snapshotId, volumeId) =>
      exclusively([snapshotId, volumeId], () => storage.createSnapshot(snapshotId, volumeId)),
    copySnapshot: (snapshotId, source) =>
      exclusively([snapshotId, source], () => storage.copySnapshot(snapshotId, source)),
    deleteSnapshot: (snapshotId) => exclusively([snapshotId], () => storage.deleteSnapshot(snapshotId)),
    describeSnapshot: (snapshotId) => exclusively([snapshotId], () => storage.describeSnapshot(snapshotId)),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}
