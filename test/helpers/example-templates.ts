/** What the templates of `examples/` are good for here. */
export interface Example {
  /** Whether tests build it, and if not, why. */
  readonly why: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Below `examples/`. */
  readonly varFiles?: readonly string[];
  readonly only?: readonly string[];
  /** What it builds depends on what AWS answers, which is not asked here. */
  readonly asksForData?: boolean;
  /** Keys and components that it uses and that amibake does not have: each is refused by its name, and nothing else is. */
  readonly notYet?: readonly string[];
}

const BUILT = "built on the local cloud";
const NEEDS_PACKAGES = "its image must have a package manager and a network";
const NEEDS_KEYS = "keys that there are not yet";

const SCRATCH = ["ami_block_device_mappings", "ami_virtualization_type", "from_scratch", "root_device_name"];

/** By the paths of templates below `examples/`; a directory is one template. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  "al2023-hardened/al2023.pkr.hcl": {
    why: NEEDS_KEYS,
    notYet: ["deprecate_at", "deregistration_protection", "imds_support"],
  },
  "alpine-from-scratch/template.json": {
    why: NEEDS_KEYS,
    notYet: [...SCRATCH, "post_mount_commands", "pre_mount_commands"],
  },
  "amazon-linux/template.json": { why: NEEDS_PACKAGES, varFiles: ["amazon-linux/staging.json"] },
  "ci-directory": { why: BUILT },
  "ci-json/image.pkr.json": { why: NEEDS_PACKAGES },
  "data-sources/data.pkr.hcl": { why: "it asks AWS and the web before it builds", asksForData: true },
  "debian-from-scratch/debian.pkr.hcl": {
    why: NEEDS_KEYS,
    notYet: [
      ...[...SCRATCH, "post_mount_commands", "pre_mount_commands"],
      ...["ami_architecture", "boot_mode", "sriov_support"],
    ],
  },
  "debian-web/template.json": { why: "built by scripts/demo, which makes a Debian image first" },
  "direct-manifest/direct.pkr.hcl": { why: NEEDS_PACKAGES },
  "direct/template.json": { why: "built by test/e2e/direct-debian.test.ts" },
  "every-field-a-variable/template.json": {
    why: NEEDS_KEYS,
    varFiles: ["every-field-a-variable/production.json"],
    notYet: ["ami_regions", "encrypt_boot", "kms_key_id"],
  },
  "first-image/template.json": { why: BUILT, variables: { source_ami: "ami-0123456789abcdef0" } },
  "golden-image/app.pkr.hcl": { why: BUILT },
  "golden-image/base.pkr.hcl": { why: BUILT },
  "host-tree/host.pkr.hcl": { why: "its commands run through sudo, and it lends the host's files" },
  "kubernetes-node/node.pkr.hcl": { why: "its images must have systemd" },
  "nitro-device/nitro.pkr.hcl": { why: NEEDS_KEYS, notYet: ["nvme_device_path"] },
  "regions-and-keys/copies.pkr.hcl": {
    why: NEEDS_KEYS,
    notYet: [
      ...["ami_org_arns", "ami_regions", "assume_role", "encrypt_boot", "force_delete_snapshot", "force_deregister"],
      ...["kms_key_id", "region_kms_key_ids", "root_volume_kms_key_id", "root_volume_tags", "root_volume_type"],
      "snapshot_users",
    ],
  },
  "release-pipeline/release.pkr.hcl": {
    why: NEEDS_KEYS,
    notYet: ["post-processor checksum", "post-processor shell-local", "provisioner shell-local"],
  },
  "rendered-config/rendered.pkr.hcl": { why: BUILT },
  "rocky-linux/rocky9.pkr.hcl": {
    why: NEEDS_KEYS,
    notYet: ["ami_block_device_mappings", "provisioner ansible", "root_device_name"],
  },
  "several-builders/template.json": {
    why: "it shows what is refused",
    notYet: ["builder amazon-ebs", "builder docker"],
  },
  "several-sources/sources.pkr.hcl": { why: NEEDS_PACKAGES },
  "team-images": { why: BUILT, asksForData: true },
};
