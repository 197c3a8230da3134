import type { ImageId, SnapshotId } from "../../base/ids.ts";
import { ApiError, incorrectState } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { ImageRecord } from "../state/records.ts";
import { type Call, stopIfDryRun } from "./call.ts";
import type { Cloud } from "./cloud.ts";
import { applyFilters, type FilterTable, NEVER } from "./filters.ts";
import { mappingItems } from "./image-mappings.ts";
import { type PageLimits, pageOf } from "./pages.ts";
import { isPermitted } from "./permissions.ts";
import { imageId, imageNotFound } from "./resource-ids.ts";
import { imageUsing, removeSnapshot } from "./snapshots.ts";
import { tagSet } from "./tag-rules.ts";

/** DescribeImages documents no smallest page; a page of ids is allowed. */
const PAGES: PageLimits = { min: 1, max: 1_000 };

export function describeImages(call: Call): XmlObject {
  const { params, cloud, caller } = call;
  const ids = params.list("ImageId").map(imageId);
  const visible = cloud.state.images.values().filter((image) => isVisible(call, image));
  const missing = ids.filter((id) => !visible.some((image) => image.id === id));
  if (missing.length > 0) throw imageNotFound(...missing);
  const asked = visible.filter((image) => ids.length === 0 || ids.includes(image.id));
  const isOffered = (image: ImageRecord) =>
    isOwnedByAsked(call, image) &&
    isExecutableByAsked(call, image) &&
    // Owners always see their deprecated images; an image asked for by its id is shown to everybody.
    (params.boolean("IncludeDeprecated") === true ||
      image.ownerId === caller.accountId ||
      ids.length > 0 ||
      !isDeprecated(cloud, image));
  const filtered = applyFilters(asked.filter(isOffered), params, FILTERS);
  const page = pageOf(filtered, params, PAGES, ids.length > 0);
  return { imagesSet: page.items.map((image) => imageFields(cloud, image)), nextToken: page.nextToken };
}

export async function deregisterImage(call: Call): Promise<XmlObject> {
  const { cloud, params } = call;
  const image = ownImage(call, imageId(params.required("ImageId")));
  if (isProtected(cloud, image)) {
    const message = `The image ${image.id} is protected from deregistration. Disable deregistration protection first.`;
    throw new ApiError("OperationNotPermitted", message);
  }
  const isWithSnapshots = params.boolean("DeleteAssociatedSnapshots") ?? false;
  stopIfDryRun(call);
  cloud.state.images.delete(image.id);
  await cloud.state.commit();
  if (!isWithSnapshots) return { return: true };
  const snapshotIds = image.mappings.flatMap(({ ebs }) => ebs?.snapshotId ?? []);
  const results: XmlObject[] = [];
  for (const snapshotId of new Set(snapshotIds)) {
    results.push({ snapshotId, returnCode: await deleteAssociated(call, snapshotId) });
  }
  return { return: true, deleteSnapshotResultSet: results };
}

/** DeregisterImage, "DeleteSnapshotReturnCode". */
async function deleteAssociated({ cloud, caller }: Call, id: SnapshotId): Promise<string> {
  if (cloud.state.snapshots.get(id)?.ownerId !== caller.accountId) return "missing-permissions";
  if (imageUsing(cloud, id) !== undefined) return "skipped";
  await removeSnapshot(cloud, id);
  return "success";
}

/** @throws {ApiError} InvalidAMIID.NotFound, InvalidAMIID.Unavailable. */
export function usableImage(call: Call, id: ImageId): ImageRecord {
  const image = visibleImage(call, id);
  if (image.state === "available") return image;
  throw new ApiError("InvalidAMIID.Unavailable", `The image ID '[${id}]' is in state '${image.state}'`);
}

/** An image the caller may change. @throws {ApiError} InvalidAMIID.NotFound, AuthFailure. */
export function ownImage(call: Call, id: ImageId): ImageRecord {
  const image = visibleImage(call, id);
  if (image.ownerId === call.caller.accountId) return image;
  throw new ApiError("AuthFailure", `Not authorized for image:${id}`, 403);
}

/** @throws {ApiError} IncorrectState: attributes of an image that is not ready cannot be changed. */
export function ownAvailableImage(call: Call, id: ImageId): ImageRecord {
  const image = ownImage(call, id);
  if (image.state !== "available") throw incorrectState(`The image '${id}' is in the '${image.state}' state.`);
  return image;
}

function visibleImage(call: Call, id: ImageId): ImageRecord {
  const image = call.cloud.state.images.get(id);
  if (image === undefined || !isVisible(call, image)) throw imageNotFound(id);
  return image;
}

function isVisible({ caller, region, cloud }: Call, image: ImageRecord): boolean {
  return (
    image.region === region &&
    !cloud.faults.holds.isHidden(image.id) &&
    (image.ownerId === caller.accountId || isPermitted(image.permissions, caller.accountId))
  );
}

function isOwnedByAsked({ params, caller }: Call, { ownerId }: ImageRecord): boolean {
  // "amazon" and "aws-marketplace" own nothing here, so those words match no account.
  const owners = params.list("Owner").map((owner) => (owner === "self" ? caller.accountId : owner));
  return owners.length === 0 || owners.includes(ownerId);
}

function isExecutableByAsked({ params, caller }: Call, { permissions }: ImageRecord): boolean {
  const users = params.list("ExecutableBy").map((user) => (user === "self" ? caller.accountId : user));
  if (users.length === 0) return true;
  return users.some((user) =>
    user === "all" ? permissions.groups.includes("all") : permissions.userIds.includes(user),
  );
}

function isDeprecated({ clock }: Cloud, { deprecationTime }: ImageRecord): boolean {
  return deprecationTime !== undefined && Date.parse(deprecationTime) <= clock.now();
}

export function isProtected({ clock }: Cloud, { deregistrationProtection }: ImageRecord): boolean {
  const { enabled, cooldownUntil } = deregistrationProtection;
  return enabled || (cooldownUntil !== undefined && Date.parse(cooldownUntil) > clock.now());
}

/** "enabled-with-cooldown", "disabled", …: DescribeImages, "deregistrationProtection". */
export function protectionText(cloud: Cloud, image: ImageRecord): string {
  const { enabled, hasCooldown, cooldownUntil } = image.deregistrationProtection;
  if (enabled) return hasCooldown ? "enabled-with-cooldown" : "enabled-without-cooldown";
  return isProtected(cloud, image) ? `disabled-in-cooldown-until-${cooldownUntil}` : "disabled";
}

function imageFields(cloud: Cloud, image: ImageRecord): XmlObject {
  return {
    imageId: image.id,
    imageLocation: `${image.ownerId}/${image.name}`,
    imageState: image.state,
    imageOwnerId: image.ownerId,
    creationDate: image.creationDate,
    isPublic: image.permissions.groups.includes("all"),
    productCodes: image.productCodes.length === 0 ? undefined : image.productCodes.map((code) => ({ ...code })),
    architecture: image.architecture,
    imageType: "machine",
    kernelId: image.kernelId,
    ramdiskId: image.ramdiskId,
    platformDetails: "Linux/UNIX",
    usageOperation: "RunInstances",
    sriovNetSupport: image.sriovNetSupport,
    name: image.name,
    description: image.description === "" ? undefined : image.description,
    rootDeviceType: "ebs",
    rootDeviceName: image.rootDeviceName,
    blockDeviceMapping: mappingItems(image.mappings),
    virtualizationType: image.virtualizationType,
    stateReason: image.stateReason === undefined ? undefined : { ...image.stateReason },
    tagSet: tagSet(image.tags),
    hypervisor: "xen",
    enaSupport: image.enaSupport ? true : undefined,
    bootMode: image.bootMode,
    tpmSupport: image.tpmSupport,
    imdsSupport: image.imdsSupport,
    deprecationTime: image.deprecationTime,
    deregistrationProtection: protectionText(cloud, image),
    sourceImageId: image.sourceImageId,
    sourceImageRegion: image.sourceImageRegion,
  };
}

/** DescribeImages, "Filter.N". */
const FILTERS: FilterTable<ImageRecord> = {
  architecture: ({ architecture }) => architecture,
  "block-device-mapping.delete-on-termination": ({ mappings }) => mappings.map(({ ebs }) => ebs?.deleteOnTermination),
  "block-device-mapping.device-name": ({ mappings }) => mappings.map(({ deviceName }) => deviceName),
  "block-device-mapping.encrypted": ({ mappings }) => mappings.map(({ ebs }) => ebs?.encrypted),
  "block-device-mapping.snapshot-id": ({ mappings }) => mappings.map(({ ebs }) => ebs?.snapshotId),
  "block-device-mapping.volume-size": ({ mappings }) => mappings.map(({ ebs }) => ebs?.sizeGib),
  "block-device-mapping.volume-type": ({ mappings }) => mappings.map(({ ebs }) => ebs?.type),
  "boot-mode": ({ bootMode }) => bootMode,
  "creation-date": ({ creationDate }) => creationDate,
  description: ({ description }) => (description === "" ? undefined : description),
  "ena-support": ({ enaSupport }) => enaSupport,
  "free-tier-eligible": () => false,
  hypervisor: () => "xen",
  "image-allowed": () => true,
  "image-id": ({ id }) => id,
  "image-type": () => "machine",
  "imds-support": ({ imdsSupport }) => imdsSupport,
  "is-public": ({ permissions }) => permissions.groups.includes("all"),
  "kernel-id": ({ kernelId }) => kernelId,
  "manifest-location": ({ ownerId, name }) => `${ownerId}/${name}`,
  name: ({ name }) => name,
  "owner-alias": NEVER,
  "owner-id": ({ ownerId }) => ownerId,
  platform: NEVER,
  "product-code": ({ productCodes }) => productCodes.map(({ productCode }) => productCode),
  "product-code.type": ({ productCodes }) => productCodes.map(({ type }) => type),
  "ramdisk-id": ({ ramdiskId }) => ramdiskId,
  "root-device-name": ({ rootDeviceName }) => rootDeviceName,
  "root-device-type": () => "ebs",
  "source-image-id": ({ sourceImageId }) => sourceImageId,
  "source-image-region": ({ sourceImageRegion }) => sourceImageRegion,
  "source-instance-id": NEVER,
  "sriov-net-support": ({ sriovNetSupport }) => sriovNetSupport,
  state: ({ state }) => state,
  "state-reason-code": ({ stateReason }) => stateReason?.code,
  "state-reason-message": ({ stateReason }) => stateReason?.message,
  "tpm-support": ({ tpmSupport }) => tpmSupport,
  "virtualization-type": ({ virtualizationType }) => virtualizationType,
};
