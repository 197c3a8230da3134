import { hasCode, isNotFound } from "../../aws/aws-error.ts";
import type { Ec2Api, Image, ImageQuery } from "../../aws/ec2-api.ts";
import { ToolError } from "../../base/errors.ts";
import type { SnapshotId } from "../../base/ids.ts";
import type { BuildVariables } from "../../template/deferred.ts";
import type { AmazonChrootConfig } from "../../template/schema/amazon-chroot.ts";

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
export async function findSourceImage(ec2: Ec2Api, config: AmazonChrootConfig): Promise<SourceImage> {
  const found = await findImages(ec2, config);
  const image = chooseImage(found, config);
  const root = rootVolumeOf(image);
  refuseMarketplace(image);
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

async function findImages(ec2: Ec2Api, config: AmazonChrootConfig): Promise<Image[]> {
  try {
    return await ec2.findImages(queryOf(config));
  } catch (cause) {
    if (!isNotFound(cause) && !hasCode(cause, "InvalidAMIID.Malformed")) throw cause;
    throw new ToolError("ERR_SOURCE_IMAGE", `Cannot find the source image "${config.source_ami}" in ${ec2.region}`, {
      cause,
      hint: "Check the id and the region, and that the account may use the image",
    });
  }
}

function queryOf({ source_ami, source_ami_filter }: AmazonChrootConfig): ImageQuery {
  const filters = Object.entries(source_ami_filter?.filters ?? {});
  return {
    ...(source_ami === undefined ? {} : { imageIds: [source_ami] }),
    owners: source_ami_filter?.owners ?? [],
    // As in Packer: several values are separated by commas.
    filters: Object.fromEntries(filters.map(([name, values]) => [name, values.split(",")])),
    includeDeprecated: source_ami !== undefined || (source_ami_filter?.include_deprecated ?? false),
  };
}

function chooseImage(found: readonly Image[], { source_ami, source_ami_filter }: AmazonChrootConfig): Image {
  const what =
    source_ami === undefined ? "an image that matches source_ami_filter" : `the source image "${source_ami}"`;
  const newestFirst = [...found].sort((a, b) => b.creationDate.localeCompare(a.creationDate));
  const [first, ...others] = newestFirst;
  if (first === undefined) {
    throw new ToolError("ERR_SOURCE_IMAGE", `Cannot find ${what}`, {
      hint: "Check the id, the region and the owners, and that the account may use the image",
    });
  }
  if (others.length > 0 && !source_ami_filter?.most_recent) {
    const listed = newestFirst.slice(0, 5).map(({ imageId, name }) => `${imageId} (${name})`);
    throw new ToolError("ERR_SOURCE_IMAGE", `Cannot choose between ${found.length} images: ${listed.join(", ")}`, {
      hint: "Narrow source_ami_filter, or set its most_recent to true",
    });
  }
  if (first.state !== "available") throw unusable(first, `its state is ${first.state}, not available`);
  return first;
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

function refuseMarketplace(image: Image): void {
  const code = image.productCodes.find(({ type }) => type === "marketplace");
  if (code === undefined) return;
  throw unusable(
    image,
    `it carries the Marketplace product code ${code.code}, and EC2 does not attach such a volume to a running instance`,
    "Launch the image once and make an image of your own from a file copy of its root, or ask the vendor for one without a product code",
  );
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
