import * as z from "zod/mini";
import { BUILDER_KEYS_NOT_YET, bakedFields, checkBuilder, withTagBlocks, workFields } from "./builder-fields.ts";
import type { Component } from "./component.ts";
import { described, EVEN_WITH_OTHER_PROBLEMS } from "./fields.ts";

/** The keys of an `amazon-chroot` builder. Defaults are those of today's Packer. */
export const amazonChrootSchema = z
  .strictObject({
    type: described(z.literal("amazon-chroot"), "The builder"),
    ...bakedFields,
    device_path: described(
      z.optional(
        z
          .string()
          .check(
            z.regex(/^\/dev\//, 'must start with "/dev/"'),
            z.regex(
              /^(?!\/dev\/nvme)/,
              "must be EC2's name for it, such as /dev/sdf: the NVMe device is found by the volume's id",
            ),
          ),
      ),
      "Device to attach the volume as. Without it, a free one is found",
    ),
    ...workFields,
  })
  .check(z.superRefine(checkBuilder, EVEN_WITH_OTHER_PROBLEMS), z.overwrite(withTagBlocks));

export type AmazonChrootConfig = z.infer<typeof amazonChrootSchema>;

export const amazonChroot: Component<AmazonChrootConfig> = {
  kind: "builder",
  type: "amazon-chroot",
  schema: amazonChrootSchema,
  keysNotYet: [
    ...BUILDER_KEYS_NOT_YET,
    ...["nvme_device_path", "root_volume_tag", "root_volume_tags", "root_volume_type"],
  ].sort(),
};
