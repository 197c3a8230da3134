import type { Ec2Api, Image } from "../../aws/ec2-api.ts";
import { ToolError } from "../../base/errors.ts";
import type { SnapshotId } from "../../base/ids.ts";
import type { BuildVariables } from "../../template/deferred.ts";
import type { SharedBuilderConfig } from "../../template/schema/builder-fields.ts";
import type { BuilderMeans } from "../build-context.ts";
import { findImage } from "./find-image.ts";

/** An image that can be built on, with its root volume found. */
export interface SourceImage extends Image {
  readonly root: {
    readonly snapshotId: SnapshotId;
    readonly sizeGib: number;
    readonly volumeType: string | undefined;
    readonly iops: number | undefined;
    /** MiB/s */
    readonly throughput: number | undefined;
    readonly encrypted: boolean;
    readonly kmsKeyId: string | undefined;
  };
  /** base64 */
  readonly uefiData: string | undefined;
}

/**
 * Finds the one image that the template means, and checks that a build can start from it.
 *
 * @throws {ToolError} if there is none, more than one, or it cannot be built on.
 */
export async function findSourceImage(
  ec2: Ec2Api,
  config: SharedBuilderConfig,
  builder: BuilderMeans["type"],
): Promise<SourceImage> {
  const { source_ami: imageId, source_ami_filter: filter } = config;
  const image = await findImage(ec2, { imageId, filter, filterName: "source_ami_filter" });
  if (image.state !== "available") throw unusable(image, `its state is ${image.state}, not available`);
  const root = rootVolumeOf(image);
  refuseMarketplace(image, builder);
  if (config.ena_support === true && image.virtualizationType !== "hvm") {
    throw unusable(image, `ena_support needs an hvm image, and this is ${image.virtualizationType}`);
  }
  const uefiData = canBootUefi(image) ? await ec2.findUefiData(image.imageId) : undefined;
  return { ...image, root, uefiData };
}

// docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-boot.html: without a boot mode, x86 boots by BIOS and arm64 by UEFI.
function canBootUefi({ bootMode, architecture }: Image): boolean {
  return bootMode === undefined ? architecture.startsWith("arm64") : bootMode !== "legacy-bios";
}

function rootVolumeOf(image: Image): SourceImage["root"] {
  if (image.rootDeviceType !== "ebs") {
    throw unusable(image, `its root device is "${image.rootDeviceType}", not "ebs"`, "Choose an EBS-backed image");
  }
  const mapping = image.blockDeviceMappings.find(({ deviceName }) => deviceName === image.rootDeviceName);
  const { snapshotId, sizeGib, ...rest } = mapping?.ebs ?? {};
  if (snapshotId === undefined || sizeGib === undefined) {
    throw unusable(image, `its mappings have no snapshot for its root device "${image.rootDeviceName}"`);
  }
  return {
    snapshotId: snapshotId as SnapshotId,
    sizeGib,
    volumeType: rest.volumeType,
    iops: rest.iops,
    throughput: rest.throughput,
    encrypted: rest.encrypted ?? false,
    kmsKeyId: rest.kmsKeyId,
  };
}

const MARKETPLACE_REFUSALS: Readonly<Record<BuilderMeans["type"], { readonly reason: string; readonly hint: string }>> =
  {
    "amazon-chroot": {
      reason: "EC2 does not attach such a volume to a running instance",
      hint: "Launch the image once and make an image of your own from a file copy of its root, or ask the vendor for one without a product code",
    },
    // RegisterImage copies the codes of the snapshots to the image. The EBS direct APIs say nothing of them.
    "amazon-direct": {
      reason:
        "AWS does not say that a snapshot which is written block by block keeps it: the new image might be without it",
      hint: "Change an instance of the image and make an image of that, as CreateImage keeps the code, or ask the vendor for one without a product code",
    },
  };

function refuseMarketplace(image: Image, builder: BuilderMeans["type"]): void {
  const code = image.productCodes.find(({ type }) => type === "marketplace");
  if (code === undefined) return;
  const { reason, hint } = MARKETPLACE_REFUSALS[builder];
  throw unusable(image, `it carries the Marketplace product code ${code.code}, and ${reason}`, hint);
}

function unusable(image: Image, detail: string, hint?: string): ToolError {
  return new ToolError("ERR_SOURCE_IMAGE", `Cannot build on "${image.imageId}" (${image.name}): ${detail}`, { hint });
}

/** What a template may say about the source image while it is built on. */
export function sourceVariables(image: SourceImage, region: string): BuildVariables {
  return {
    BuildRegion: region,
    SourceAMI: image.imageId,
    SourceAMIName: image.name,
    SourceAMICreationDate: image.creationDate,
    SourceAMIOwner: image.ownerId,
    SourceAMIOwnerName: image.ownerAlias,
    ...Object.fromEntries(Object.entries(image.tags).map(([key, value]) => [`SourceAMITags.${key}`, value])),
  };
}
