import { randomBytes } from "node:crypto";
import type { ImageId, InstanceId, SnapshotId, VolumeId } from "../../base/ids.ts";
import { ApiError, invalidValue } from "../protocol/api-error.ts";

/** New ids have 17 hexadecimal digits, as since 2016. */
function newId(prefix: string): string {
  return `${prefix}-0${randomBytes(8).toString("hex")}`;
}

export const newVolumeId = (): VolumeId => newId("vol") as VolumeId;
export const newSnapshotId = (): SnapshotId => newId("snap") as SnapshotId;
export const newImageId = (): ImageId => newId("ami") as ImageId;
export const newInstanceId = (): InstanceId => newId("i") as InstanceId;

/** Old ids had 8 digits. */
function hasForm(prefix: string, id: string): boolean {
  return id.startsWith(`${prefix}-`) && /^([0-9a-f]{8}|[0-9a-f]{17})$/.test(id.slice(prefix.length + 1));
}

// The four messages differ as they do in EC2.

export function volumeId(id: string, parameter = "volumeId"): VolumeId {
  if (!id.startsWith("vol-")) throw invalidValue(id, parameter, "Expected: 'vol-...'.");
  if (!hasForm("vol", id)) throw new ApiError("InvalidVolumeID.Malformed", `The volume ID '${id}' is malformed`);
  return id as VolumeId;
}

export function snapshotId(id: string, parameter = "snapshotId"): SnapshotId {
  if (!id.startsWith("snap-")) throw invalidValue(id, parameter, "Expected: 'snap-...'.");
  if (!hasForm("snap", id)) throw new ApiError("InvalidSnapshotID.Malformed", `The snapshot ID '${id}' is malformed`);
  return id as SnapshotId;
}

export function imageId(id: string): ImageId {
  if (!hasForm("ami", id)) {
    const expected = id.startsWith("ami-") ? "" : ' (expecting "ami-...")';
    throw new ApiError("InvalidAMIID.Malformed", `Invalid id: "${id}"${expected}`);
  }
  return id as ImageId;
}

export function instanceId(id: string): InstanceId {
  if (!hasForm("i", id)) {
    const expected = id.startsWith("i-") ? "" : ' (expecting "i-...")';
    throw new ApiError("InvalidInstanceID.Malformed", `Invalid id: "${id}"${expected}`);
  }
  return id as InstanceId;
}

export function volumeNotFound(id: string): ApiError {
  return new ApiError("InvalidVolume.NotFound", `The volume '${id}' does not exist.`);
}

export function snapshotNotFound(id: string): ApiError {
  return new ApiError("InvalidSnapshot.NotFound", `The snapshot '${id}' does not exist.`);
}

export function imageNotFound(...ids: readonly string[]): ApiError {
  const message =
    ids.length === 1 ? `The image id '[${ids[0]}]' does not exist` : `The image ids '[${ids.join(", ")}]' do not exist`;
  return new ApiError("InvalidAMIID.NotFound", message);
}

export function instanceNotFound(id: string): ApiError {
  return new ApiError("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
}
