import { ApiError, invalidValue } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { ImageMapping, ImageRecord, SnapshotRecord, Tag } from "../state/records.ts";
import { type Call, hideIfStruck, stopIfDryRun } from "./call.ts";
import { earlierResource, oneAtATime, rememberResource } from "./client-tokens.ts";
import { planEncryption } from "./encryption.ts";
import { usableImage } from "./images.ts";
import { copyForImage } from "./make-snapshot.ts";
import { isRegion } from "./regions.ts";
import { addImage, checkName, checkNameIsFree, type NewImage } from "./register-image.ts";
import { imageId } from "./resource-ids.ts";
import { refuseWithoutRoom } from "./room.ts";
import { removeSnapshot } from "./snapshots.ts";
import { mergeTags, tagSpecifications } from "./tag-rules.ts";

/** Copies an image of this or another region, with a snapshot of its own for every EBS mapping. */
export function copyImage(call: Call): Promise<XmlObject> {
  return oneAtATime(call, () => copy(call));
}

async function copy(call: Call): Promise<XmlObject> {
  const { params, cloud, region, caller } = call;
  const earlier = earlierResource(call);
  if (earlier !== undefined) return { imageId: earlier };
  await refuseWithoutRoom(call);
  const name = params.required("Name");
  const sourceRegion = params.required("SourceRegion");
  if (!isRegion(sourceRegion)) throw invalidValue(sourceRegion, "sourceRegion", "It is not the name of a region.");
  checkName(name);
  const source = usableImage({ ...call, region: sourceRegion }, imageId(params.required("SourceImageId")));
  checkCopyable(call, source);
  const tags = tagSpecifications(params, ["image", "snapshot"]);
  const plans = source.mappings.map((mapping) => planMapping(call, mapping, sourceRegion !== region));
  checkNameIsFree(call, name);
  stopIfDryRun(call);
  const description = `Copied for DestinationAmi ${name} from SourceAmi ${source.id}`;
  const copied: CopiedMapping[] = [];
  try {
    for (const plan of plans) {
      const details = { ...plan.encryption, description, tags: tags.get("snapshot") ?? [] };
      copied.push(await copyMapping(call, plan, details));
    }
    // Another call may have taken the name while the snapshots were copied.
    checkNameIsFree(call, name);
  } catch (error) {
    for (const { snapshot } of copied) if (snapshot !== undefined) await removeSnapshot(cloud, snapshot.id);
    throw error;
  }
  for (const { snapshot } of copied) {
    if (snapshot === undefined) continue;
    hideIfStruck(call, snapshot.id);
    cloud.state.snapshots.put(snapshot.id, snapshot);
  }
  const copy: NewImage = {
    ...inheritedAttributes(source),
    ownerId: caller.accountId,
    region,
    name,
    description: params.text("Description") ?? "",
    mappings: copied.map(({ mapping }) => mapping),
    sourceImageId: source.id,
    sourceImageRegion: sourceRegion,
    tags: copiedTags(call, source, tags.get("image") ?? []),
  };
  return { imageId: await addImage(call, "CopyImage", copy, (id) => rememberResource(call, id)) };
}

interface CopiedMapping {
  readonly mapping: ImageMapping;
  readonly snapshot?: SnapshotRecord;
}

async function copyMapping(
  call: Call,
  { mapping, sourceSnapshotId }: ReturnType<typeof planMapping>,
  details: Parameters<typeof copyForImage>[2],
): Promise<CopiedMapping> {
  if (sourceSnapshotId === undefined || mapping.ebs === undefined) return { mapping };
  const snapshot = await copyForImage(call, sourceSnapshotId, details);
  const ebs = { ...mapping.ebs, snapshotId: snapshot.id, encrypted: snapshot.encrypted };
  return { mapping: { ...mapping, ebs }, snapshot };
}

/** What a copy has of its source. Permissions, deprecation and protection are not copied. */
function inheritedAttributes(source: ImageRecord) {
  const { architecture, virtualizationType, rootDeviceName, enaSupport, sriovNetSupport, bootMode } = source;
  const { tpmSupport, uefiData, imdsSupport, kernelId, ramdiskId, productCodes } = source;
  return {
    architecture,
    virtualizationType,
    rootDeviceName,
    enaSupport,
    sriovNetSupport,
    bootMode,
    tpmSupport,
    uefiData,
    imdsSupport,
    kernelId,
    ramdiskId,
    productCodes,
  };
}

function planMapping(call: Call, mapping: ImageMapping, isElsewhere: boolean) {
  const sourceSnapshotId = mapping.ebs?.snapshotId;
  const source = sourceSnapshotId === undefined ? undefined : call.cloud.state.snapshots.get(sourceSnapshotId);
  const requested = { encrypted: call.params.boolean("Encrypted"), kmsKeyId: call.params.string("KmsKeyId") };
  // A key belongs to its region: a copy elsewhere is encrypted with the key of that place.
  const content = isElsewhere && source !== undefined ? { encrypted: source.encrypted } : source;
  return { mapping, sourceSnapshotId, encryption: planEncryption(call, { ...requested, source: content }) };
}

/** @throws {ApiError} if the image is somebody else's and may be launched but not copied. */
function checkCopyable({ caller, cloud }: Call, source: ImageRecord): void {
  if (source.ownerId === caller.accountId) return;
  if (source.productCodes.length > 0) {
    // "You can't copy an AMI … obtained from the AWS Marketplace" (EC2 User Guide, "Copy an AMI", considerations).
    throw new ApiError(
      "InvalidRequest",
      "Images with EC2 BillingProduct codes cannot be copied to another AWS account",
    );
  }
  // "the owner … must grant you read permissions for the storage that backs the AMI" (same page).
  const isStorageShared = source.mappings.every(({ ebs }) => {
    const snapshot = ebs?.snapshotId === undefined ? undefined : cloud.state.snapshots.get(ebs.snapshotId);
    if (snapshot === undefined) return true;
    const { userIds, groups } = snapshot.permissions;
    return groups.includes("all") || userIds.includes(caller.accountId);
  });
  if (!isStorageShared)
    throw new ApiError("InvalidRequest", "You do not have permission to access the storage of this ami");
}

/** CopyImageTags takes the caller's own tags along; tags of the request win. */
function copiedTags({ params, caller }: Call, source: ImageRecord, requested: readonly Tag[]): Tag[] {
  const isTaking = params.boolean("CopyImageTags") === true && source.ownerId === caller.accountId;
  return mergeTags(isTaking ? source.tags : [], requested);
}
