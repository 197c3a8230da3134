import * as z from "zod/mini";
import { ACCESS_KEYS_NOT_YET, accessFields } from "./access-fields.ts";
import { described } from "./fields.ts";
import { imageFields, sourceFields } from "./image-fields.ts";
import { insideFields, mountingFields } from "./image-root-fields.ts";
import { descriptionProblem, imageNameProblem, mountPathProblem, tagsProblem } from "./image-rules.ts";

/** What every builder says of the image: what it starts from and what it becomes. */
export const bakedFields = {
  name: described(z.optional(z.string()), "Name of the build. Without it, the type"),
  ...imageFields,
  ...sourceFields,
  root_volume_size: described(
    z.optional(z.int().check(z.minimum(1), z.maximum(65_536))),
    "Size in GiB, if larger than the source's",
  ),
};

/** What every builder says of its work on this host, and of its way to AWS. */
export const workFields = { ...mountingFields, ...insideFields, ...accessFields };

/** What every builder's configuration has: most of a build needs no more. */
export type SharedBuilderConfig = z.infer<z.ZodMiniObject<typeof bakedFields & typeof workFields>>;

/** Of a template that would start from nothing, it leads away from what is wrong. */
export const NO_SOURCE = '"source_ami" or "source_ami_filter" is required';

/** The rules over several keys, and what EC2 would refuse at the end. For `superRefine`. */
export function checkBuilder(config: Partial<SharedBuilderConfig>, context: z.core.$RefinementCtx): void {
  for (const [path, message] of problemsOf(config)) context.addIssue({ code: "custom", path, message });
}

/** What stands in `tag` and `snapshot_tag` is one of the tags, and wins over one of the same name. For `overwrite`. */
export function withTagBlocks<
  Config extends Pick<SharedBuilderConfig, "tag" | "tags" | "snapshot_tag" | "snapshot_tags">,
>(config: Config): Config {
  const { tags, tag, snapshot_tags, snapshot_tag } = config;
  return { ...config, tags: [...tags, ...tag], snapshot_tags: [...snapshot_tags, ...snapshot_tag] };
}

function problemsOf(config: Partial<SharedBuilderConfig>): [path: string[], message: string][] {
  const { source_ami, source_ami_filter: filter, access_key, secret_key } = config;
  const problems: [path: string[], message: string][] = [];
  const filterCount = (filter?.owners?.length ?? 0) + Object.keys(filter?.filters ?? {}).length;
  if (source_ami === undefined && filterCount === 0) {
    problems.push([[], NO_SOURCE]);
  }
  if ((access_key === undefined) !== (secret_key === undefined)) {
    problems.push([["access_key"], '"access_key" and "secret_key" go together: one of them is missing']);
  }
  const found = {
    mount_path: mountPathProblem(config.mount_path),
    ami_name: imageNameProblem(config.ami_name),
    ami_description: descriptionProblem(config.ami_description),
    tags: tagsProblem("tags", config.tags),
    tag: tagsProblem("tag", config.tag),
    snapshot_tags: tagsProblem("snapshot_tags", config.snapshot_tags),
    snapshot_tag: tagsProblem("snapshot_tag", config.snapshot_tag),
  };
  for (const [key, message] of Object.entries(found)) if (message !== undefined) problems.push([[key], message]);
  return problems;
}

/** Keys of Packer's chroot builder that no builder here has yet. */
export const BUILDER_KEYS_NOT_YET = [
  ...ACCESS_KEYS_NOT_YET,
  ...["ami_architecture", "ami_block_device_mappings", "ami_org_arns", "ami_ou_arns", "ami_regions"],
  ...["ami_virtualization_type", "boot_mode", "deprecate_at", "deregistration_protection", "encrypt_boot"],
  ...["force_delete_snapshot", "force_deregister", "from_scratch", "imds_support", "kms_key_id"],
  ...["post_mount_commands", "pre_mount_commands", "region_kms_key_ids", "root_device_name"],
  ...["root_volume_encrypt_boot", "root_volume_kms_key_id", "skip_save_build_region"],
  ...["snapshot_copy_duration_minutes", "snapshot_groups", "snapshot_users", "sriov_support", "tpm_support"],
  ...["uefi_data"],
].sort();
