import { ApiError, invalidCombination, missingParameter } from "../protocol/api-error.ts";
import type { Params } from "../protocol/query-params.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { ImageEbs, ImageMapping, SnapshotRecord } from "../state/records.ts";
import { planVolumeShape, VOLUME_TYPES } from "./volume-types.ts";

/**
 * Reads `BlockDeviceMapping.N` of RegisterImage.
 *
 * @param findSnapshot throws if the caller may not use the snapshot.
 * @throws {ApiError} InvalidBlockDeviceMapping, and what `findSnapshot` throws.
 */
export function requestedMappings(params: Params, findSnapshot: (id: string) => SnapshotRecord): ImageMapping[] {
  const mappings = params.structures("BlockDeviceMapping").flatMap((mapping): ImageMapping[] => {
    const deviceName = mapping.string("DeviceName");
    if (deviceName === undefined) throw missingParameter("BlockDeviceMapping.DeviceName");
    // "NoDevice": takes the device out of the mapping; a new image has nothing to take it out of.
    if (mapping.has("NoDevice")) return [];
    const virtualName = mapping.string("VirtualName");
    const ebs = mapping.structure("Ebs");
    if (virtualName !== undefined) return [{ deviceName, virtualName: checkedVirtualName(virtualName, ebs) }];
    return [{ deviceName, ebs: requestedEbs(ebs, deviceName, findSnapshot) }];
  });
  const names = mappings.map(({ deviceName }) => deviceName);
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined)
    throw invalidMapping(`The device '${duplicate}' is used in more than one block-device mapping`);
  return mappings;
}

/** @throws {ApiError} InvalidBlockDeviceMapping if there is no disk to boot from. */
export function checkRootMapping(mappings: readonly ImageMapping[], rootDeviceName: string): void {
  const root = mappings.find(({ deviceName }) => deviceName === rootDeviceName);
  if (root?.ebs?.snapshotId === undefined) throw invalidMapping("No root snapshot specified in device mapping.");
}

function checkedVirtualName(virtualName: string, ebs: Params): string {
  if (!ebs.isEmpty) throw invalidMapping("Both an EBS volume and a virtual device name were given for one device.");
  if (!/^ephemeral([0-9]|1[0-9]|2[0-3])$/.test(virtualName))
    throw invalidMapping(`Invalid virtual name '${virtualName}'`);
  return virtualName;
}

function requestedEbs(ebs: Params, deviceName: string, findSnapshot: (id: string) => SnapshotRecord): ImageEbs {
  const snapshotId = ebs.string("SnapshotId");
  const snapshot = snapshotId === undefined ? undefined : findSnapshot(snapshotId);
  const encrypted = ebs.boolean("Encrypted");
  if (encrypted !== undefined && snapshot !== undefined) {
    throw invalidMapping(
      "Parameter encrypted is invalid. You cannot specify the encrypted flag if specifying a snapshot id in a block device mapping.",
    );
  }
  if (ebs.has("KmsKeyId")) throw invalidCombination("The parameter KmsKeyId is not supported for RegisterImage.");
  const sizeGib = ebs.integer("VolumeSize") ?? snapshot?.sizeGib;
  if (sizeGib === undefined)
    throw invalidMapping(`Either snapshot ID or volume size must be provided for: ${deviceName}`);
  if (snapshot !== undefined && sizeGib < snapshot.sizeGib) {
    // With two blanks, as recorded from AWS (openshift/origin-ci-tool #153).
    throw invalidMapping(
      `Volume of size ${sizeGib}GB is smaller than  snapshot '${snapshot.id}', expect size >= ${snapshot.sizeGib}GB`,
    );
  }
  const shape = planVolumeShape({
    // RegisterImage has kept the type that was the only one in its days; CreateVolume has moved on to gp2.
    type: ebs.choice("VolumeType", VOLUME_TYPES) ?? "standard",
    sizeGib,
    iops: ebs.integer("Iops"),
    throughput: ebs.integer("Throughput"),
  });
  return {
    snapshotId: snapshot?.id,
    sizeGib,
    type: shape.type,
    // gp2 has a baseline, which a mapping does not show.
    iops: shape.type === "gp2" ? undefined : shape.iops,
    throughput: shape.throughput,
    // RegisterImage, "Ebs.DeleteOnTermination": "Default: true" (API reference of 2012; later ones leave it out).
    deleteOnTermination: ebs.boolean("DeleteOnTermination") ?? true,
    encrypted: snapshot?.encrypted ?? encrypted ?? false,
  };
}

export function mappingItems(mappings: readonly ImageMapping[]): XmlObject[] {
  return mappings.map(({ deviceName, virtualName, ebs }) => ({
    deviceName,
    virtualName,
    ebs: ebs === undefined ? undefined : ebsFields(ebs),
  }));
}

function ebsFields({
  snapshotId,
  sizeGib,
  type,
  iops,
  throughput,
  deleteOnTermination,
  encrypted,
}: ImageEbs): XmlObject {
  return {
    snapshotId,
    volumeSize: sizeGib,
    deleteOnTermination,
    volumeType: type,
    iops,
    throughput,
    encrypted,
  };
}

function invalidMapping(message: string): ApiError {
  return new ApiError("InvalidBlockDeviceMapping", message);
}
