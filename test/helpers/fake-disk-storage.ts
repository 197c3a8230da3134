import type { SnapshotId, VolumeId } from "../../src/base/ids.ts";
import {
  type AttachedDisk,
  DeviceNodeExistsError,
  type DiskStorage,
  type SnapshotContent,
} from "../../src/local-cloud/storage/disk-storage.ts";

/**
 * Disks without bytes: it keeps the rules of the contract (what is there, what is
 * attached, what overlaps) and nothing else. Needs no root.
 */
export class FakeDiskStorage implements DiskStorage {
  readonly volumes = new Map<VolumeId, { sizeBytes: number }>();
  readonly snapshots = new Map<SnapshotId, SnapshotContent>();
  readonly attached = new Map<VolumeId, string>();
  /** Volumes that somebody has mounted. */
  readonly busy = new Set<VolumeId>();
  /** Device names that are taken on this machine, by somebody else. */
  readonly foreignNodes = new Set<string>();
  /** Thrown by the next call of the method, once. */
  readonly failures = new Map<keyof DiskStorage, Error>();
  readonly #working = new Set<string>();

  createVolume(volumeId: VolumeId, source: { sizeBytes: number; snapshotId?: SnapshotId }): Promise<void> {
    return this.#work("createVolume", [volumeId], () => {
      if (source.snapshotId !== undefined) this.#content(source.snapshotId);
      this.volumes.set(volumeId, { sizeBytes: source.sizeBytes });
    });
  }

  deleteVolume(volumeId: VolumeId): Promise<void> {
    return this.#work("deleteVolume", [volumeId], () => {
      if (this.attached.has(volumeId)) throw new Error(`Cannot delete "${volumeId}": it is attached`);
      this.volumes.delete(volumeId);
    });
  }

  attach(volumeId: VolumeId, deviceName: string): Promise<AttachedDisk> {
    return this.#work("attach", [volumeId], () => {
      if (!this.volumes.has(volumeId)) throw new Error(`Cannot attach "${volumeId}": it does not exist`);
      const devicePath = deviceName.replace("/dev/sd", "/dev/xvd");
      if (this.attached.get(volumeId) === deviceName) return { devicePath };
      const isTaken = this.foreignNodes.has(deviceName) || [...this.attached.values()].includes(deviceName);
      if (isTaken) throw new DeviceNodeExistsError(devicePath);
      this.attached.set(volumeId, deviceName);
      return { devicePath };
    });
  }

  detach(volumeId: VolumeId): Promise<boolean> {
    return this.#work("detach", [volumeId], () => {
      if (this.busy.has(volumeId)) return false;
      this.attached.delete(volumeId);
      return true;
    });
  }

  createSnapshot(snapshotId: SnapshotId, volumeId: VolumeId): Promise<SnapshotContent> {
    return this.#work("createSnapshot", [snapshotId, volumeId], () => {
      const volume = this.volumes.get(volumeId);
      if (volume === undefined) throw new Error(`Cannot snapshot "${volumeId}": it does not exist`);
      return this.addSnapshot(snapshotId, volume.sizeBytes);
    });
  }

  copySnapshot(snapshotId: SnapshotId, source: SnapshotId): Promise<SnapshotContent> {
    return this.#work("copySnapshot", [snapshotId, source], () =>
      this.addSnapshot(snapshotId, this.#content(source).sizeBytes),
    );
  }

  deleteSnapshot(snapshotId: SnapshotId): Promise<void> {
    return this.#work("deleteSnapshot", [snapshotId], () => {
      this.snapshots.delete(snapshotId);
    });
  }

  describeSnapshot(snapshotId: SnapshotId): Promise<SnapshotContent> {
    return this.#work("describeSnapshot", [snapshotId], () => this.#content(snapshotId));
  }

  addSnapshot(snapshotId: SnapshotId, sizeBytes: number): SnapshotContent {
    const content = { sizeBytes, blockCount: 1 };
    this.snapshots.set(snapshotId, content);
    return content;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.attached.clear();
  }

  #content(snapshotId: SnapshotId): SnapshotContent {
    const content = this.snapshots.get(snapshotId);
    if (content === undefined) throw new Error(`Cannot read "${snapshotId}": it does not exist`);
    return content;
  }

  /** Takes a moment, so that calls can overlap, and refuses those that may not. */
  async #work<T>(method: keyof DiskStorage, ids: readonly string[], work: () => T): Promise<T> {
    const taken = ids.find((id) => this.#working.has(id));
    if (taken !== undefined) throw new Error(`Two calls for "${taken}" overlap`);
    for (const id of ids) this.#working.add(id);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      const failure = this.failures.get(method);
      this.failures.delete(method);
      if (failure !== undefined) throw failure;
      return work();
    } finally {
      for (const id of ids) this.#working.delete(id);
    }
  }
}
