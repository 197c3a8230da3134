// Branded, so that two ids cannot be swapped by accident.
type Brand<Name extends string> = string & { readonly __brand: Name };

export type VolumeId = Brand<"VolumeId">;
export type SnapshotId = Brand<"SnapshotId">;
export type ImageId = Brand<"ImageId">;
export type InstanceId = Brand<"InstanceId">;

/** EC2's label of an attachment, such as `/dev/sdf`. Not a path on this host. */
export type DeviceName = Brand<"DeviceName">;
/** A block device on this host, such as `/dev/nvme1n1`. */
export type DevicePath = Brand<"DevicePath">;
