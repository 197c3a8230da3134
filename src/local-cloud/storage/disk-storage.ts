import { ToolError } from "../../base/errors.ts";
import type { SnapshotId, VolumeId } from "../../base/ids.ts";
import type { BlockHash } from "./block-medium.ts";
import type { ManifestBlock, SnapshotManifest } from "./snapshot-manifest.ts";

/**
 * The disks behind the endpoint. The operations decide what may happen and when;
 * this does it. Every method is durable when it resolves: kill -9 after it loses
 * nothing, and kill -9 during it leaves either the old state or garbage that the
 * next open collects.
 *
 * Calls for different volumes and snapshots may overlap; calls for one of them may not, but for what only reads a
 * snapshot, and for puts of different blocks.
 */
export interface DiskStorage extends SnapshotBlocks, AsyncDisposable {
  /** Makes a sparse volume, zero or with the content of a snapshot. Repeating it for the same id starts over. */
  createVolume(volumeId: VolumeId, source: { sizeBytes: number; snapshotId?: SnapshotId }): Promise<void>;
  /** @throws if it is attached. A volume that is not there is success. */
  deleteVolume(volumeId: VolumeId): Promise<void>;
  /**
   * Makes a loop device with its partitions, and block device nodes where the
   * instance type has them for the EC2 device name `deviceName` ("/dev/sdf").
   * Repeating it for an attached volume and the same name changes nothing.
   *
   * @throws {DeviceNodeExistsError} if a name that it would make exists already; nothing is left then.
   */
  attach(volumeId: VolumeId, deviceName: string): Promise<AttachedDisk>;
  /**
   * Removes the nodes, then the loop device.
   *
   * @returns false, with nothing changed, while the device is in use (mounted or
   * open, in any mount namespace). A volume that is not attached is success.
   */
  detach(volumeId: VolumeId): Promise<boolean>;
  /**
   * Stores the bytes of the volume, attached or not, at this moment. Reads only
   * what is allocated in the file.
   */
  createSnapshot(snapshotId: SnapshotId, volumeId: VolumeId): Promise<SnapshotContent>;
  /** A second snapshot of the same content: no block is copied. */
  copySnapshot(snapshotId: SnapshotId, source: SnapshotId): Promise<SnapshotContent>;
  /** Blocks that no snapshot uses any more are removed. A snapshot that is not there is success. */
  deleteSnapshot(snapshotId: SnapshotId): Promise<void>;
  describeSnapshot(snapshotId: SnapshotId): Promise<SnapshotContent>;
  /** What the disk under all of them has left. */
  freeBytes(): Promise<number>;
}

/** Snapshots block by block: writing a new one, reading any. */
export interface SnapshotBlocks {
  /** Begins a snapshot with the blocks of its parent, or none. Repeating it starts over. */
  startSnapshot(snapshotId: SnapshotId, content: { sizeBytes: number; parentId?: SnapshotId }): Promise<void>;
  /**
   * Writes a block of a snapshot that was begun. The last put of an index counts.
   *
   * @param data `SNAPSHOT_BLOCK_BYTES` with that hash; the caller's again when this resolves.
   * @returns false, with nothing written, if the snapshot is not being written.
   */
  putBlock(snapshotId: SnapshotId, block: ManifestBlock, data: Buffer): Promise<boolean>;
  /** Whether a snapshot was begun and is neither sealed nor deleted. */
  isWritten(snapshotId: SnapshotId): boolean;
  /**
   * Ends the writing: from then on the content is what it is. A snapshot that is sealed already is success.
   *
   * @param check is given what was put; nothing changes if it throws.
   */
  sealSnapshot(snapshotId: SnapshotId, check: (puts: readonly ManifestBlock[]) => void): Promise<SnapshotContent>;
  /** The content of a snapshot that is not being written. */
  readManifest(snapshotId: SnapshotId): Promise<SnapshotManifest>;
  /** @returns undefined if no snapshot has such a block any more. */
  readBlock(hash: BlockHash): Promise<LentBlock | undefined>;
}

/** A block that may be read until it is disposed of. */
export interface LentBlock extends Disposable {
  readonly data: Buffer;
}

export interface AttachedDisk {
  /** The whole-disk node: "/dev/xvdf", or "/dev/nvme1n1" on a Nitro instance. */
  readonly devicePath: string;
}

export interface SnapshotContent {
  /** Size of the volume it is a snapshot of. */
  readonly sizeBytes: number;
  /** 512 KiB blocks that are not all zero. */
  readonly blockCount: number;
}

/** A device node that an attachment would make exists already. It may be anybody's, so it is left alone. */
export class DeviceNodeExistsError extends ToolError {
  override readonly name = "DeviceNodeExistsError";
  readonly devicePath: string;

  constructor(devicePath: string, options: { readonly cause?: unknown } = {}) {
    super("ERR_DEVICE_NODE_EXISTS", `Cannot make the device node "${devicePath}": it exists already`, {
      ...options,
      hint: "Choose another device name",
      fault: "host",
    });
    this.devicePath = devicePath;
  }
}
