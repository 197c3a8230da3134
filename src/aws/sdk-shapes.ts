// Between the SDK's shapes and ours.
import type {
  Filter,
  ResourceType,
  Image as SdkImage,
  BlockDeviceMapping as SdkMapping,
  Tag,
  TagSpecification,
} from "@aws-sdk/client-ec2";
import type { ImageId } from "../base/ids.ts";
import type { BlockDeviceMapping, Image } from "./ec2-api.ts";

export function sdkFilters(filters: Readonly<Record<string, readonly string[]>>): Filter[] | undefined {
  const entries = Object.entries(filters);
  return entries.length === 0 ? undefined : entries.map(([Name, Values]) => ({ Name, Values: [...Values] }));
}

export function tagSpecifications(
  resourceType: ResourceType,
  tags: Readonly<Record<string, string>>,
): TagSpecification[] | undefined {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return list.length === 0 ? undefined : [{ ResourceType: resourceType, Tags: list }];
}

export function tagRecord(tags: readonly Tag[] = []): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}

export function imageFromSdk(image: SdkImage): Image {
  return {
    imageId: image.ImageId as ImageId,
    name: image.Name ?? "",
    ownerId: image.OwnerId ?? "",
    ownerAlias: image.ImageOwnerAlias ?? "",
    state: image.State ?? "",
    stateReason: image.StateReason?.Message,
    creationDate: image.CreationDate ?? "",
    architecture: image.Architecture ?? "",
    virtualizationType: image.VirtualizationType ?? "",
    rootDeviceType: image.RootDeviceType ?? "",
    rootDeviceName: image.RootDeviceName ?? "",
    blockDeviceMappings: (image.BlockDeviceMappings ?? []).map(mappingFromSdk),
    productCodes: (image.ProductCodes ?? []).map(({ ProductCodeId, ProductCodeType }) => ({
      code: ProductCodeId ?? "",
      type: ProductCodeType ?? "",
    })),
    enaSupport: image.EnaSupport ?? false,
    sriovNetSupport: image.SriovNetSupport,
    bootMode: image.BootMode,
    tpmSupport: image.TpmSupport,
    imdsSupport: image.ImdsSupport,
    kernelId: image.KernelId,
    ramdiskId: image.RamdiskId,
    tags: tagRecord(image.Tags),
  };
}

function mappingFromSdk(mapping: SdkMapping): BlockDeviceMapping {
  const { DeviceName = "", VirtualName, NoDevice, Ebs } = mapping;
  return {
    deviceName: DeviceName,
    ...(VirtualName === undefined ? {} : { virtualName: VirtualName }),
    ...(NoDevice === undefined ? {} : { noDevice: true }),
    ...(Ebs === undefined
      ? {}
      : {
          ebs: withoutUndefined({
            snapshotId: Ebs.SnapshotId,
            sizeGib: Ebs.VolumeSize,
            volumeType: Ebs.VolumeType,
            iops: Ebs.Iops,
            throughput: Ebs.Throughput,
            deleteOnTermination: Ebs.DeleteOnTermination,
            encrypted: Ebs.Encrypted,
            kmsKeyId: Ebs.KmsKeyId,
          }),
        }),
  };
}

export function mappingToSdk({ deviceName, virtualName, noDevice, ebs }: BlockDeviceMapping): SdkMapping {
  return {
    DeviceName: deviceName,
    VirtualName: virtualName,
    NoDevice: noDevice ? "" : undefined,
    Ebs:
      ebs === undefined
        ? undefined
        : {
            SnapshotId: ebs.snapshotId,
            VolumeSize: ebs.sizeGib,
            VolumeType: ebs.volumeType as never,
            Iops: ebs.iops,
            Throughput: ebs.throughput,
            DeleteOnTermination: ebs.deleteOnTermination,
            Encrypted: ebs.encrypted,
            KmsKeyId: ebs.kmsKeyId,
          },
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}
