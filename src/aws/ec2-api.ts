import type { DeviceName, ImageId, InstanceId, SnapshotId, VolumeId } from "../base/ids.ts";

/**
 * The EC2 calls that a build makes, in one account and region.
 *
 * Every call retries what is safe to retry and has a deadline of its own.
 *
 * @throws {AwsError} for what EC2 refuses, with EC2's code and message.
 */
export interface Ec2Api extends Ec2Calls {
  readonly region: string;
  /** The same calls for releasing things: they go on although the build was cancelled. */
  readonly releasing: Ec2Calls;
}

export interface Ec2Calls {
  /** An empty list if nothing matches; ids that do not exist are an error, as in EC2. */
  findImages(query: ImageQuery): Promise<Image[]>;
  /** UEFI variables of an image as base64, or `undefined`: an image without any has no such attribute. */
  findUefiData(imageId: ImageId): Promise<string | undefined>;
  describeInstance(instanceId: InstanceId): Promise<Instance>;

  /** Answers before the volume is available. The same token gives the same volume. */
  createVolume(plan: VolumePlan): Promise<VolumeId>;
  /** `undefined` for one that does not exist, or is not visible yet. */
  findVolume(volumeId: VolumeId): Promise<Volume | undefined>;
  /** @returns false if there is none, or none that is visible yet. */
  deleteVolume(volumeId: VolumeId): Promise<boolean>;
  attachVolume(volumeId: VolumeId, instanceId: InstanceId, deviceName: DeviceName): Promise<void>;
  /** A volume that is not attached is success. */
  detachVolume(volumeId: VolumeId): Promise<void>;

  /** Answers while the snapshot is pending. */
  createSnapshot(plan: SnapshotPlan): Promise<SnapshotId>;
  findSnapshot(snapshotId: SnapshotId): Promise<Snapshot | undefined>;
  /** @returns false if there is none, or none that is visible yet. */
  deleteSnapshot(snapshotId: SnapshotId): Promise<boolean>;

  /** Answers while the image is pending. */
  registerImage(plan: ImagePlan): Promise<ImageId>;
  /** @returns false if there is none, or none that is visible yet. */
  deregisterImage(imageId: ImageId): Promise<boolean>;
  /** Answers while the copy is pending. Within the region; the name must be free. */
  copyImage(plan: ImageCopyPlan): Promise<ImageId>;
  shareImage(imageId: ImageId, launchers: { userIds: readonly string[]; groups: readonly string[] }): Promise<void>;
  addProductCodes(imageId: ImageId, productCodes: readonly string[]): Promise<void>;

  /** What of this account carries a tag: with the value, or with any. */
  findTagged(kind: ResourceKind, tag: WantedTag): Promise<TaggedResource[]>;
  /** Takes tags off, whatever their values. */
  deleteTags(resourceIds: readonly string[], keys: readonly string[]): Promise<void>;
}

export type ResourceKind = "volume" | "snapshot" | "image";

export interface WantedTag {
  readonly key: string;
  readonly value?: string;
  /** Whether this process has made what carries it: then it may be hidden again, as all that is new. */
  readonly isOfOwn?: boolean;
}

export interface TaggedResource {
  readonly kind: ResourceKind;
  readonly id: string;
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Of an image: those that its volumes are made of. */
  readonly snapshotIds: readonly string[];
  /** Of a volume: the instances that have it. */
  readonly attachedTo: readonly string[];
}

export interface ImageQuery {
  readonly imageIds?: readonly string[];
  readonly owners?: readonly string[];
  /** Values may have the wildcards * and ?. */
  readonly filters?: Readonly<Record<string, readonly string[]>>;
  readonly includeDeprecated?: boolean;
}

export interface Image {
  readonly imageId: ImageId;
  readonly name: string;
  readonly ownerId: string;
  /** "amazon", "aws-marketplace", "self" or empty. */
  readonly ownerAlias: string;
  readonly state: string;
  readonly stateReason: string | undefined;
  /** ISO 8601 */
  readonly creationDate: string;
  readonly architecture: string;
  readonly virtualizationType: string;
  readonly rootDeviceType: string;
  readonly rootDeviceName: string;
  readonly blockDeviceMappings: readonly BlockDeviceMapping[];
  readonly productCodes: readonly { readonly code: string; readonly type: string }[];
  readonly enaSupport: boolean;
  /** "simple" or missing. */
  readonly sriovNetSupport: string | undefined;
  readonly bootMode: string | undefined;
  readonly tpmSupport: string | undefined;
  readonly imdsSupport: string | undefined;
  readonly kernelId: string | undefined;
  readonly ramdiskId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** What an image says about one of its volumes. */
export interface BlockDeviceMapping {
  readonly deviceName: string;
  /** "ephemeral0": an instance store volume. */
  readonly virtualName?: string;
  readonly noDevice?: boolean;
  readonly ebs?: {
    readonly snapshotId?: string;
    readonly sizeGib?: number;
    readonly volumeType?: string;
    readonly iops?: number;
    /** MiB/s */
    readonly throughput?: number;
    readonly deleteOnTermination?: boolean;
    readonly encrypted?: boolean;
    readonly kmsKeyId?: string;
  };
}

export interface Instance {
  readonly instanceId: InstanceId;
  readonly availabilityZone: string;
  readonly instanceType: string;
  /** EC2's labels in use, e.g. "/dev/xvda", also of volumes that are being attached or detached. */
  readonly deviceNames: readonly string[];
}

export interface VolumePlan {
  readonly snapshotId: SnapshotId;
  readonly sizeGib: number;
  readonly availabilityZone: string;
  readonly volumeType: string | undefined;
  readonly iops: number | undefined;
  /** MiB/s */
  readonly throughput: number | undefined;
  readonly encrypted: boolean | undefined;
  readonly kmsKeyId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly clientToken: string;
}

export interface Volume {
  readonly volumeId: VolumeId;
  /** creating, available, in-use, deleting, deleted, error */
  readonly state: string;
  readonly attachments: readonly {
    readonly instanceId: string;
    readonly deviceName: string;
    /** attaching, attached, detaching, detached, busy */
    readonly state: string;
  }[];
}

export interface SnapshotPlan {
  readonly volumeId: VolumeId;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Snapshot {
  readonly snapshotId: SnapshotId;
  /** pending, completed, error, recoverable, recovering */
  readonly state: string;
  readonly stateMessage: string | undefined;
  /** 0 to 100. */
  readonly percent: number;
}

export interface ImageCopyPlan {
  readonly sourceImageId: ImageId;
  readonly name: string;
  readonly description: string;
  /** Of the copy and of its snapshots. */
  readonly tags: Readonly<Record<string, string>>;
  readonly clientToken: string;
}

export interface ImagePlan {
  readonly name: string;
  readonly description: string | undefined;
  readonly architecture: string;
  readonly virtualizationType: string;
  readonly rootDeviceName: string;
  readonly blockDeviceMappings: readonly BlockDeviceMapping[];
  readonly enaSupport: boolean;
  readonly sriovNetSupport: string | undefined;
  readonly bootMode: string | undefined;
  readonly tpmSupport: string | undefined;
  readonly imdsSupport: string | undefined;
  /** base64 */
  readonly uefiData: string | undefined;
  readonly kernelId: string | undefined;
  readonly ramdiskId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}
