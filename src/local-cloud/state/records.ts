import type { ImageId, InstanceId, SnapshotId, VolumeId } from "../../base/ids.ts";

/** What every resource has. */
export interface ResourceRecord {
  readonly ownerId: string;
  readonly region: string;
  /** Order of creation, over the whole store: what pages are sorted by. */
  readonly sequence: number;
  tags: Tag[];
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface ProductCode {
  readonly productCode: string;
  readonly type: "devpay" | "marketplace";
}

/** Who else may use an image or a snapshot. */
export interface Permissions {
  readonly userIds: readonly string[];
  /** The only group there is. */
  readonly groups: readonly "all"[];
  readonly organizationArns: readonly string[];
  readonly organizationalUnitArns: readonly string[];
}

export const NO_PERMISSIONS: Permissions = {
  userIds: [],
  groups: [],
  organizationArns: [],
  organizationalUnitArns: [],
};

export type VolumeType = "standard" | "gp2" | "gp3" | "io1" | "io2" | "st1" | "sc1";

export interface VolumeRecord extends ResourceRecord {
  readonly id: VolumeId;
  readonly zone: string;
  readonly sizeGib: number;
  readonly type: VolumeType;
  readonly iops?: number | undefined;
  /** MiB/s. */
  readonly throughput?: number | undefined;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string | undefined;
  readonly multiAttachEnabled: boolean;
  readonly snapshotId?: SnapshotId | undefined;
  /** ISO 8601. */
  readonly createTime: string;
  readonly productCodes: readonly ProductCode[];
  state: "creating" | "available" | "in-use" | "deleting" | "error";
  /** Of the snapshot that it was made from. */
  readonly lineageId?: string | undefined;
  attachment?: AttachmentRecord | undefined;
}

export interface AttachmentRecord {
  readonly instanceId: InstanceId;
  /** EC2's device name, "/dev/sdf". */
  readonly deviceName: string;
  /** ISO 8601. */
  readonly attachTime: string;
  /** "busy": a detach was asked for, and the device is still mounted or open. */
  readonly state: "attaching" | "attached" | "detaching" | "busy";
}

export interface SnapshotRecord extends ResourceRecord {
  readonly id: SnapshotId;
  /** EC2 shows "vol-ffffffff" for a snapshot that was copied or imported. */
  readonly volumeId: string;
  readonly sizeGib: number;
  /** Blocks that are not all zero. Missing in stores of earlier versions. */
  readonly blockCount?: number | undefined;
  readonly description: string;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string | undefined;
  /** ISO 8601. */
  readonly startTime: string;
  productCodes: readonly ProductCode[];
  permissions: Permissions;
  /** "writing": not acknowledged and not shown yet, so a crash undoes it. */
  state: "writing" | "pending" | "completed" | "error";
  /** Why it is in "error". */
  stateMessage?: string | undefined;
  /** ISO 8601. */
  completionTime?: string | undefined;
  /** What it was started from, if it was written block by block. */
  readonly parentId?: SnapshotId | undefined;
  /** See `lineageOf`. */
  readonly lineageId?: string | undefined;
  /** Of one that is written block by block, until it is completed. */
  upload?: UploadRecord | undefined;
}

export interface UploadRecord {
  /** It ends in "error" when so many minutes have passed without a block. */
  readonly timeoutMinutes: number;
  /** Whether the content is what it is; what is left is to wait. */
  readonly isSealed: boolean;
}

/** What EC2 shows as the volume of a snapshot that has none (CopySnapshot: "an arbitrary volume ID"). */
export const NO_VOLUME = "vol-ffffffff";

/** The same for all snapshots that come from one volume or one first snapshot: only they can be compared. */
export function lineageOf({ id, volumeId, lineageId }: SnapshotRecord): string {
  return lineageId ?? (volumeId === NO_VOLUME ? id : volumeId);
}

export interface ImageMapping {
  readonly deviceName: string;
  readonly virtualName?: string | undefined;
  readonly ebs?: ImageEbs | undefined;
}

export interface ImageEbs {
  readonly snapshotId?: SnapshotId | undefined;
  readonly sizeGib: number;
  readonly type: VolumeType;
  readonly iops?: number | undefined;
  readonly throughput?: number | undefined;
  readonly deleteOnTermination: boolean;
  readonly encrypted: boolean;
}

export type Architecture = "i386" | "x86_64" | "arm64" | "x86_64_mac" | "arm64_mac";

export interface ImageRecord extends ResourceRecord {
  readonly id: ImageId;
  readonly name: string;
  readonly architecture: Architecture;
  readonly virtualizationType: "hvm" | "paravirtual";
  readonly rootDeviceName: string;
  readonly mappings: readonly ImageMapping[];
  readonly enaSupport: boolean;
  readonly sriovNetSupport?: string | undefined;
  readonly bootMode?: string | undefined;
  readonly tpmSupport?: string | undefined;
  readonly uefiData?: string | undefined;
  readonly kernelId?: string | undefined;
  readonly ramdiskId?: string | undefined;
  readonly sourceImageId?: string | undefined;
  readonly sourceImageRegion?: string | undefined;
  /** ISO 8601. */
  readonly creationDate: string;
  state: "pending" | "available" | "failed";
  /** Why it has failed. */
  stateReason?: { readonly code: string; readonly message: string } | undefined;
  description: string;
  imdsSupport?: string | undefined;
  permissions: Permissions;
  productCodes: readonly ProductCode[];
  /** ISO 8601. */
  deprecationTime?: string | undefined;
  deregistrationProtection: DeregistrationProtection;
}

export interface DeregistrationProtection {
  readonly enabled: boolean;
  readonly hasCooldown: boolean;
  /** ISO 8601: when a cooldown that has begun is over. */
  readonly cooldownUntil?: string | undefined;
}

/** Switches of one account in one region. */
export interface RegionSettings {
  readonly encryptByDefault: boolean;
}

/** Credentials that the cloud invented: the account's own, an assumed role's, or the instance's. */
export interface CredentialRecord {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly accountId: string;
  readonly arn: string;
  readonly userId: string;
  /** Milliseconds since the epoch. Absent: never. */
  readonly expiresAtMs?: number | undefined;
}

/** A ClientToken that was used, and what it made. */
export interface TokenRecord {
  readonly fingerprint: string;
  readonly resourceId: string;
  readonly usedAtMs: number;
}

/** What a store keeps from its first opening on. */
export interface StoreIdentity {
  readonly accountId: string;
  readonly instanceId: InstanceId;
  readonly region: string;
  readonly accessKeyId: string;
  readonly createdAtMs: number;
}
