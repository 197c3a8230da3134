import { attachVolume, detachVolume } from "./attachments.ts";
import { type Operation, operation } from "./call.ts";
import { copyImage } from "./copy-image.ts";
import { describeVolumeStatus, describeVolumes } from "./describe-volumes.ts";
import {
  disableEbsEncryptionByDefault,
  enableEbsEncryptionByDefault,
  getEbsDefaultKmsKeyId,
  getEbsEncryptionByDefault,
} from "./encryption.ts";
import {
  describeImageAttribute,
  disableImageDeprecation,
  disableImageDeregistrationProtection,
  enableImageDeprecation,
  enableImageDeregistrationProtection,
  modifyImageAttribute,
  resetImageAttribute,
} from "./image-attributes.ts";
import { deregisterImage, describeImages } from "./images.ts";
import { describeInstances } from "./instances.ts";
import { copySnapshot, createSnapshot } from "./make-snapshot.ts";
import { describeAvailabilityZones, describeRegions } from "./regions.ts";
import { registerImage } from "./register-image.ts";
import { describeSnapshotAttribute, modifySnapshotAttribute, resetSnapshotAttribute } from "./snapshot-attributes.ts";
import { deleteSnapshot, describeSnapshots } from "./snapshots.ts";
import { assumeRole, getCallerIdentity } from "./sts.ts";
import { createTags, deleteTags, describeTags } from "./tags.ts";
import { createVolume, deleteVolume } from "./volumes.ts";

/** EC2's actions with the parameters that EC2 knows for each (API version 2016-11-15, as of November 2026). */
export const EC2_OPERATIONS: Readonly<Record<string, Operation>> = {
  AttachVolume: operation(attachVolume, "Device InstanceId VolumeId EbsCardIndex"),
  CopyImage: operation(
    copyImage,
    "Name SourceImageId SourceRegion ClientToken Description Encrypted KmsKeyId DestinationOutpostArn CopyImageTags TagSpecification SnapshotCopyCompletionDurationMinutes DestinationAvailabilityZone DestinationAvailabilityZoneId",
  ),
  CopySnapshot: operation(
    copySnapshot,
    "SourceRegion SourceSnapshotId Description DestinationOutpostArn DestinationRegion Encrypted KmsKeyId PresignedUrl TagSpecification CompletionDurationMinutes DestinationAvailabilityZone",
  ),
  CreateSnapshot: operation(createSnapshot, "VolumeId Description OutpostArn TagSpecification Location"),
  CreateTags: operation(createTags, "ResourceId Tag"),
  CreateVolume: operation(
    createVolume,
    "AvailabilityZone AvailabilityZoneId Encrypted Iops KmsKeyId OutpostArn Size SnapshotId VolumeType TagSpecification MultiAttachEnabled Throughput ClientToken VolumeInitializationRate Operator",
  ),
  DeleteSnapshot: operation(deleteSnapshot, "SnapshotId"),
  DeleteTags: operation(deleteTags, "ResourceId Tag"),
  DeleteVolume: operation(deleteVolume, "VolumeId"),
  DeregisterImage: operation(deregisterImage, "ImageId DeleteAssociatedSnapshots"),
  DescribeAvailabilityZones: operation(describeAvailabilityZones, "ZoneName ZoneId AllAvailabilityZones Filter"),
  DescribeImageAttribute: operation(describeImageAttribute, "Attribute ImageId"),
  DescribeImages: operation(
    describeImages,
    "ExecutableBy ImageId Owner IncludeDeprecated IncludeDisabled MaxResults NextToken Filter",
  ),
  DescribeInstances: operation(describeInstances, "InstanceId IncludeManagedResources Filter NextToken MaxResults"),
  DescribeRegions: operation(describeRegions, "RegionName AllRegions Filter"),
  DescribeSnapshotAttribute: operation(describeSnapshotAttribute, "Attribute SnapshotId"),
  DescribeSnapshots: operation(describeSnapshots, "MaxResults NextToken Owner RestorableBy SnapshotId Filter"),
  DescribeTags: operation(describeTags, "Filter MaxResults NextToken"),
  DescribeVolumeStatus: operation(describeVolumeStatus, "MaxResults NextToken VolumeId IncludeManagedResources Filter"),
  DescribeVolumes: operation(describeVolumes, "VolumeId IncludeManagedResources Filter NextToken MaxResults"),
  DetachVolume: operation(detachVolume, "VolumeId Device Force InstanceId"),
  DisableEbsEncryptionByDefault: operation(disableEbsEncryptionByDefault, ""),
  DisableImageDeprecation: operation(disableImageDeprecation, "ImageId"),
  DisableImageDeregistrationProtection: operation(disableImageDeregistrationProtection, "ImageId"),
  EnableEbsEncryptionByDefault: operation(enableEbsEncryptionByDefault, ""),
  EnableImageDeprecation: operation(enableImageDeprecation, "ImageId DeprecateAt"),
  EnableImageDeregistrationProtection: operation(enableImageDeregistrationProtection, "ImageId WithCooldown"),
  GetEbsDefaultKmsKeyId: operation(getEbsDefaultKmsKeyId, ""),
  GetEbsEncryptionByDefault: operation(getEbsEncryptionByDefault, ""),
  ModifyImageAttribute: operation(
    modifyImageAttribute,
    "ImageId Attribute Description LaunchPermission OperationType ProductCode UserGroup UserId Value OrganizationArn OrganizationalUnitArn ImdsSupport",
  ),
  ModifySnapshotAttribute: operation(
    modifySnapshotAttribute,
    "SnapshotId Attribute CreateVolumePermission UserGroup OperationType UserId",
  ),
  RegisterImage: operation(
    registerImage,
    "Name ImageLocation BillingProduct BootMode TpmSupport UefiData ImdsSupport TagSpecification Description Architecture KernelId RamdiskId RootDeviceName BlockDeviceMapping VirtualizationType SriovNetSupport EnaSupport",
  ),
  ResetImageAttribute: operation(resetImageAttribute, "Attribute ImageId"),
  ResetSnapshotAttribute: operation(resetSnapshotAttribute, "Attribute SnapshotId"),
};

export const STS_OPERATIONS: Readonly<Record<string, Operation>> = {
  AssumeRole: operation(
    assumeRole,
    "RoleArn RoleSessionName PolicyArns Policy DurationSeconds Tags TransitiveTagKeys ExternalId SerialNumber TokenCode SourceIdentity ProvidedContexts",
  ),
  GetCallerIdentity: operation(getCallerIdentity, ""),
};
