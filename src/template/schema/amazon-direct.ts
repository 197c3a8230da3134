import * as z from "zod/mini";
import { BUILDER_KEYS_NOT_YET, bakedFields, checkBuilder, withTagBlocks, workFields } from "./builder-fields.ts";
import type { Component } from "./component.ts";
import { described, EVEN_WITH_OTHER_PROBLEMS } from "./fields.ts";

/** The keys of an `amazon-direct` builder: those of `amazon-chroot` but for its volume. */
export const amazonDirectSchema = z
  .strictObject({
    type: described(z.literal("amazon-direct"), "The builder"),
    ...bakedFields,
    overlay_directory: described(
      z.optional(z.string().check(z.startsWith("/", 'must start with "/"'))),
      "Directory for what the build changes, until it is uploaded, on ext4, XFS, Btrfs or tmpfs: it needs room for all that is written. Without it, in amibake's cache",
    ),
    ...workFields,
    // There need not be an instance, so nothing is asked of its metadata.
    region: described(z.optional(z.string()), "Region. Without it: AWS_REGION, AWS_DEFAULT_REGION, the profile"),
    custom_endpoint_ebs: described(
      z.optional(z.string()),
      "URL of the endpoint of the EBS direct APIs, instead of AWS's own",
    ),
  })
  .check(z.superRefine(checkBuilder, EVEN_WITH_OTHER_PROBLEMS), z.overwrite(withTagBlocks));

export type AmazonDirectConfig = z.infer<typeof amazonDirectSchema>;

const NO_VOLUME = "amazon-direct attaches no volume";

export const amazonDirect: Component<AmazonDirectConfig> = {
  kind: "builder",
  type: "amazon-direct",
  schema: amazonDirectSchema,
  keysNotYet: BUILDER_KEYS_NOT_YET,
  keysRefused: {
    device_path: NO_VOLUME,
    nvme_device_path: NO_VOLUME,
    root_volume_tag: NO_VOLUME,
    root_volume_tags: NO_VOLUME,
    root_volume_type: NO_VOLUME,
  },
};
