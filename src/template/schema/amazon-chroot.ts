import * as z from "zod";
import type { Component } from "./component.ts";
import { deferred, deferredDefault, EVEN_WITH_OTHER_PROBLEMS, IMAGE_VARIABLES, tags } from "./fields.ts";
import { descriptionProblem, imageNameProblem, tagsProblem } from "./image-rules.ts";

const CHROOT_MOUNTS: [string, string, string][] = [
  ["proc", "proc", "/proc"],
  ["sysfs", "sysfs", "/sys"],
  ["bind", "/dev", "/dev"],
  ["devpts", "devpts", "/dev/pts"],
  ["binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"],
];

const absolutePath = () => z.string().startsWith("/", 'must start with "/"');

const access = {
  access_key: z.string().optional().describe("Access key. Without it: the environment, the profile, the instance role"),
  secret_key: z.string().optional().describe("Secret key. Goes with `access_key`. Never shown"),
  token: z.string().optional().describe("Session token of temporary keys. Never shown"),
  region: z
    .string()
    .optional()
    .describe("Region. Without it: AWS_REGION, AWS_DEFAULT_REGION, the profile, this instance"),
  profile: z.string().optional().describe("Profile in the shared AWS configuration"),
  shared_credentials_file: z.string().optional().describe("Path of the shared credentials file"),
  custom_endpoint_ec2: z.string().optional().describe("URL of the EC2 endpoint, instead of AWS's own"),
  aws_polling: z
    .strictObject({
      delay_seconds: z.number().int().min(1).optional().describe("Seconds between two looks"),
      max_attempts: z.number().int().min(1).optional().describe("Looks before giving up"),
    })
    .optional()
    .describe("How AWS is asked whether something is ready. Without it, often at first and then less often"),
};

const image = {
  ami_name: deferred(["CreateTime"]).describe(
    "Name of the image: 3 to 128 letters, digits and `()[] ./-'@_`. `{{.CreateTime}}` is the same as `{{timestamp}}`",
  ),
  ami_description: deferred(IMAGE_VARIABLES).optional().describe("Description of the image"),
  ami_groups: z
    .array(z.string().regex(/^all$/, 'must be "all": EC2 knows no other group'))
    .default([])
    .describe("Groups that may launch the image: `all`, or none"),
  ami_users: z
    .array(z.string().regex(/^\d{12}$/, "must be an account id of 12 digits"))
    .default([])
    .describe("Accounts that may launch the image"),
  ami_product_codes: z.array(z.string()).default([]).describe("Product codes of the image"),
  ena_support: z
    .boolean()
    .optional()
    .describe("Whether the image supports enhanced networking (ENA). Without it, as its source does"),
  tags: tags().default([]).describe("Tags of the image and its snapshots"),
  snapshot_tags: tags()
    .default([])
    .describe("Tags of the snapshots, in addition to `tags`; of two with one name, this one wins"),
};

const source = {
  source_ami: z
    .string()
    .regex(/^ami-/, 'must start with "ami-"')
    .optional()
    .describe("Id of the image to start from. It must be EBS-backed"),
  source_ami_filter: z
    .strictObject({
      filters: z
        .record(z.string(), z.string())
        .default({})
        .describe("Filters of DescribeImages. A value may be several, with commas between"),
      owners: z.array(z.string()).default([]).describe("Account ids, `self`, `amazon` or `aws-marketplace`"),
      most_recent: z.boolean().default(false).describe("Take the newest; otherwise there must be exactly one"),
      include_deprecated: z.boolean().default(false).describe("Look at deprecated images too"),
    })
    .optional()
    .describe("How to find the image to start from. With `source_ami` as well, both must fit"),
};

const rootDisk = {
  root_volume_size: z.number().int().min(1).max(65_536).optional().describe("Size in GiB, if larger than the source's"),
  device_path: z
    .string()
    .startsWith("/dev/", 'must start with "/dev/"')
    .optional()
    .describe("Device to attach the volume as. Without it, a free one is found"),
  mount_path: deferred(["Device"])
    .default(deferredDefault("/mnt/packer-amazon-chroot-volumes/{{.Device}}", ["Device"]))
    .describe("Where the root file system is mounted. `{{.Device}}` is the device's last path component"),
  mount_options: z.array(z.string().min(1, "must not be empty")).default([]).describe("Options for mounting it (`-o`)"),
  mount_partition: z
    .string()
    .regex(/^\d+$/, "must be the number of a partition")
    .optional()
    .describe("Number of the root partition; `0` is the whole device. Without it, it is found"),
  mount_command: z.string().default("mount").describe("Shell command that mounts"),
  unmount_command: z.string().default("umount").describe("Shell command that unmounts"),
  command_wrapper: deferred(["Command"])
    .default(deferredDefault("{{.Command}}", ["Command"]))
    .describe("Shell command around each command on the host, such as `sudo {{.Command}}`"),
  chroot_mounts: z
    .array(z.tuple([z.string().min(1, "must not be empty"), z.string().min(1, "must not be empty"), absolutePath()]))
    // As in Packer: no mounts at all cannot be asked for.
    .overwrite((mounts) => (mounts.length === 0 ? CHROOT_MOUNTS : mounts))
    .default(CHROOT_MOUNTS)
    .describe(
      "What is mounted in the image: file system type or `bind`, source, path. An empty list means the default",
    ),
  copy_files: z
    .array(absolutePath())
    .default(["/etc/resolv.conf"])
    .describe("Files of this host that the image gets while it is provisioned. `[]` for none"),
};

/** The keys of an `amazon-chroot` builder. Defaults are those of today's Packer. */
export const amazonChrootSchema = z
  .strictObject({
    type: z.literal("amazon-chroot").describe("The builder"),
    name: z.string().optional().describe("Name of the build. Without it, the type"),
    ...image,
    ...source,
    ...rootDisk,
    ...access,
  })
  .refine(
    ({ source_ami, source_ami_filter: filter }) =>
      source_ami !== undefined || (filter?.owners?.length ?? 0) + Object.keys(filter?.filters ?? {}).length > 0,
    { message: '"source_ami" or "source_ami_filter" is required', path: [], ...EVEN_WITH_OTHER_PROBLEMS },
  )
  .refine(({ access_key, secret_key }) => (access_key === undefined) === (secret_key === undefined), {
    message: '"access_key" and "secret_key" go together: one of them is missing',
    path: ["access_key"],
    ...EVEN_WITH_OTHER_PROBLEMS,
  })
  .superRefine(({ ami_name, ami_description, tags: imageTags, snapshot_tags }, context) => {
    const found = {
      ami_name: imageNameProblem(ami_name),
      ami_description: descriptionProblem(ami_description),
      tags: tagsProblem("tags", imageTags),
      snapshot_tags: tagsProblem("snapshot_tags", snapshot_tags),
    };
    for (const [key, message] of Object.entries(found)) {
      if (message !== undefined) context.addIssue({ code: "custom", path: [key], message });
    }
  }, EVEN_WITH_OTHER_PROBLEMS);

export type AmazonChrootConfig = z.infer<typeof amazonChrootSchema>;

export const amazonChroot: Component<AmazonChrootConfig> = {
  kind: "builder",
  type: "amazon-chroot",
  schema: amazonChrootSchema,
  keysNotYet: [
    ...["ami_architecture", "ami_block_device_mappings", "ami_org_arns", "ami_ou_arns", "ami_regions"],
    ...["ami_virtualization_type", "assume_role", "boot_mode", "decode_authorization_messages", "deprecate_at"],
    ...["deregistration_protection", "encrypt_boot", "force_delete_snapshot", "force_deregister", "from_scratch"],
    ...["imds_support", "insecure_skip_tls_verify", "kms_key_id", "max_retries", "mfa_code", "nvme_device_path"],
    ...["post_mount_commands", "pre_mount_commands", "region_kms_key_ids", "root_device_name"],
    ...["root_volume_encrypt_boot", "root_volume_kms_key_id", "root_volume_tag", "root_volume_tags"],
    ...["root_volume_type", "skip_credential_validation", "skip_metadata_api_check", "skip_region_validation"],
    ...["skip_save_build_region", "snapshot_copy_duration_minutes", "snapshot_groups", "snapshot_tag"],
    ...["snapshot_users", "sriov_support", "tag", "tpm_support", "uefi_data", "vault_aws_engine"],
  ],
};
