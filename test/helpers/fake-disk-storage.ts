import type { SnapshotId, VolumeId } from "../../src/base/ids.ts";
import {
  type AttachedDisk,
  DeviceNodeExistsError,
  type DiskStorage,
  type SnapshotContent,
} from "../../src/local-cloud/storage/disk-storage.ts";
import type { ManifestBlock } from "../../src/local-cloud/storage/snapshot-manifest.ts";

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
  readonly #pending = new Map<SnapshotId, { readonly sizeBytes: number; readonly blocks: Map<number, string> }>();
  /** What the disk has left. */
  roomBytes = 2 ** 40;
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
      this.#pending.delete(snapshotId);
    });
  }

  describeSnapshot(snapshotId: SnapshotId): Promise<SnapshotContent> {
    return this.#work("describeSnapshot", [snapshotId], () => this.#content(snapshotId));
  }

  startSnapshot(snapshotId: SnapshotId, content: { sizeBytes: number; parentId?: SnapshotId }): Promise<void> {
    return this.#work("startSnapshot", [snapshotId], () => {
      if (content.parentId !== undefined) this.#content(content.parentId);
      this.#pending.set(snapshotId, { sizeBytes: content.sizeBytes, blocks: new Map() });
    });
  }

  async putBlock(snapshotId: SnapshotId, { blockIndex, hash }: ManifestBlock): Promise<boolean> {
    const pending = this.#pending.get(snapshotId);
    pending?.blocks.set(blockIndex, hash);
    return pending !== undefined;
  }

  isWritten(snapshotId: SnapshotId): boolean {
    return this.#pending.has(snapshotId);
  }

  sealSnapshot(snapshotId: SnapshotId, check: (puts: readonly ManifestBlock[]) => void): Promise<SnapshotContent> {
    return this.#work("sealSnapshot", [snapshotId], () => {
      const pending = this.#pending.get(snapshotId);
      if (pending === undefined) return this.#content(snapshotId);
      check([...pending.blocks].map(([blockIndex, hash]) => ({ blockIndex, hash })));
      this.#pending.delete(snapshotId);
      return this.addSnapshot(snapshotId, pending.sizeBytes);
    });
  }

  /** There are no bytes here: what reads blocks is tested with real disks. */
  readManifest(snapshotId: SnapshotId): Promise<never> {
    return Promise.reject(new Error(`Cannot read "${snapshotId}": this storage has no bytes`));
  }

  readBlock(hash: string): Promise<never> {
    return Promise.reject(new Error(`Cannot read "${hash}": this storage has no bytes`));
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
  async freeBytes(): Promise<number> {
    return this.roomBytes;
  }

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
