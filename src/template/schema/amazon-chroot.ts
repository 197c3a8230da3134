import { z } from "zod";
import type { Deferred } from "../deferred.ts";

/** A string that may use build variables; the reader turns it into a `Deferred` before the schema sees it. */
const deferred = z.custom<Deferred>();

/** The keys of an `amazon-chroot` builder. Defaults are those of today's Packer. */
export const amazonChrootSchema = z.strictObject({
  type: z.literal("amazon-chroot"),
  name: z.string().optional(),
  // Access
  access_key: z.string().optional(),
  secret_key: z.string().optional(),
  token: z.string().optional(),
  region: z.string().optional(),
  profile: z.string().optional(),
  shared_credentials_file: z.string().optional(),
  custom_endpoint_ec2: z.string().optional(),
  aws_polling: z
    .strictObject({
      delay_seconds: z.number().int().min(1).optional(),
      max_attempts: z.number().int().min(1).optional(),
    })
    .optional(),
  // The image
  ami_name: deferred,
  ami_description: deferred.optional(),
  ami_groups: z.array(z.string()).default([]),
  ami_users: z.array(z.string()).default([]),
  ami_product_codes: z.array(z.string()).default([]),
  ena_support: z.boolean().optional(),
  tags: z.record(z.string(), deferred).default({}),
  snapshot_tags: z.record(z.string(), deferred).default({}),
  // The source
  source_ami: z.string().optional(),
  source_ami_filter: z
    .strictObject({
      filters: z.record(z.string(), z.string()).default({}),
      owners: z.array(z.string()).default([]),
      most_recent: z.boolean().default(false),
      include_deprecated: z.boolean().default(false),
    })
    .optional(),
  // The root disk
  root_volume_size: z.number().int().min(1).optional(),
  device_path: z.string().optional(),
  mount_path: deferred,
  mount_options: z.array(z.string()).default([]),
  mount_partition: z.string().optional(),
  mount_command: z.string().default("mount"),
  unmount_command: z.string().default("umount"),
  command_wrapper: deferred,
  chroot_mounts: z.array(z.tuple([z.string(), z.string(), z.string()])),
  copy_files: z.array(z.string()).default(["/etc/resolv.conf"]),
});

export type AmazonChrootConfig = z.infer<typeof amazonChrootSchema>;
