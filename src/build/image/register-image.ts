import type { BlockDeviceMapping, Image, ImagePlan } from "../../aws/ec2-api.ts";
import { waitFor } from "../../aws/wait.ts";
import { ToolError } from "../../base/errors.ts";
import type { ImageId, SnapshotId } from "../../base/ids.ts";
import type { BuildVariables } from "../../template/deferred.ts";
import type { SharedBuilderConfig } from "../../template/schema/builder-fields.ts";
import type { BuildContext } from "../build-context.ts";
import { type Draft, makeDraft, runDraftStep } from "../draft.ts";
import type { SourceImage } from "./find-source-image.ts";

interface NewRoot {
  readonly snapshotId: SnapshotId;
  readonly sizeGib: number;
}

/**
 * Decides the image. Pure. It inherits from the source whatever the template does not say:
 * RegisterImage itself would make it i386, paravirtual, without ENA.
 *
 * @param disk.blockDeviceMappings those of the image that was built on, which may be a copy of the source: the other
 * volumes are made of its snapshots then, and not of those that the source's owner may take away.
 */
export function planImage(
  config: SharedBuilderConfig,
  source: SourceImage,
  disk: NewRoot & Pick<Image, "blockDeviceMappings">,
  names: { name: string; variables: BuildVariables },
): ImagePlan {
  const isParavirtual = source.virtualizationType === "paravirtual";
  return {
    name: names.name,
    description: config.ami_description?.render(names.variables) || undefined,
    architecture: source.architecture,
    virtualizationType: source.virtualizationType,
    rootDeviceName: source.rootDeviceName,
    blockDeviceMappings: disk.blockDeviceMappings.map((mapping) => withNewRoot(mapping, source.rootDeviceName, disk)),
    enaSupport: config.ena_support ?? source.enaSupport,
    sriovNetSupport: source.sriovNetSupport,
    bootMode: source.bootMode,
    tpmSupport: source.tpmSupport,
    imdsSupport: source.imdsSupport,
    uefiData: source.uefiData,
    // An hvm image boots its own kernel, and RegisterImage refuses one from outside.
    kernelId: isParavirtual ? source.kernelId : undefined,
    ramdiskId: isParavirtual ? source.ramdiskId : undefined,
    tags: renderTags(config.tags, names.variables),
  };
}

function withNewRoot(
  mapping: BlockDeviceMapping,
  rootDeviceName: string,
  { snapshotId, sizeGib }: NewRoot,
): BlockDeviceMapping {
  if (mapping.ebs === undefined) return mapping;
  const isRoot = mapping.deviceName === rootDeviceName;
  if (!isRoot && mapping.ebs.snapshotId === undefined) return mapping;
  // Beside a snapshot, RegisterImage takes the encryption from it and refuses to be told.
  const { encrypted: _encrypted, kmsKeyId: _kmsKeyId, ...ebs } = mapping.ebs;
  return { ...mapping, ebs: isRoot ? { ...ebs, snapshotId, sizeGib } : ebs };
}

// Normally seconds. AWS publishes no figure; Packer's users have seen it pass half an hour.
const AVAILABLE_DEADLINE_MS = 60 * 60_000;

/** Registers the image and waits until it can be launched. It is a draft: deregistered unless it is kept. */
export async function registerImage(context: BuildContext, plan: ImagePlan): Promise<Draft<ImageId>> {
  const { ec2, signal, clock, polling } = context;
  return runDraftStep<ImageId>(context, `Registering the image "${plan.name}"`, {
    make: (progress) =>
      makeDraft(context, {
        kind: "image",
        make: (tags) => ec2.registerImage({ ...plan, tags: { ...plan.tags, ...tags } }),
        progress,
      }),
    async wait(image, progress) {
      progress.tell(`${image.id} is pending`);
      await waitFor(() => isAvailable(context, image), {
        what: `image ${image.id} to become available`,
        deadlineMs: AVAILABLE_DEADLINE_MS,
        polling,
        signal,
        clock,
      });
    },
  });
}

async function isAvailable({ ec2 }: BuildContext, { id }: Draft<ImageId>): Promise<true | undefined> {
  // Asked by filter: right after RegisterImage, an id that is not visible yet would be an error.
  const [image] = await ec2.findImages({ filters: { "image-id": [id] }, owners: ["self"] });
  if (image === undefined || image.state === "pending") return undefined;
  if (image.state === "available") return true;
  throw new ToolError(
    "ERR_IMAGE_FAILED",
    `Cannot use image "${id}": its state is ${image.state}: ${image.stateReason ?? "no reason given"}`,
  );
}

/** Lets the accounts and groups of the template launch the image, and adds its product codes. */
export async function shareImage({ ec2, config, runStep }: BuildContext, imageId: ImageId): Promise<void> {
  const { ami_users: userIds, ami_groups: groups, ami_product_codes: productCodes } = config;
  if (userIds.length + groups.length > 0) {
    const whom = [...userIds, ...groups.map((group) => `group "${group}"`)].join(", ");
    const share = () => ec2.shareImage(imageId, { userIds, groups });
    await runStep(`Sharing ${imageId} with ${whom}`, share, { isRepeatable: true });
  }
  if (productCodes.length > 0) {
    const add = () => ec2.addProductCodes(imageId, productCodes);
    const title = `Adding the product codes ${productCodes.join(", ")} to ${imageId}`;
    await runStep(title, add, { isRepeatable: true });
  }
}

/** Tags with what is known only now rendered in. */
export function renderTags(tags: SharedBuilderConfig["tags"], variables: BuildVariables): Record<string, string> {
  return Object.fromEntries(tags.map(({ key, value }) => [key.render(variables), value.render(variables)]));
}
