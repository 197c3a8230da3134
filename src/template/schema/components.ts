import { type AmazonChrootConfig, amazonChroot } from "./amazon-chroot.ts";
import { type AmazonDirectConfig, amazonDirect } from "./amazon-direct.ts";
import { breakpointProvisioner } from "./breakpoint-provisioner.ts";
import { fileProvisioner } from "./file-provisioner.ts";
import { manifestPostProcessor } from "./manifest-post-processor.ts";
import { shellProvisioner } from "./shell-provisioner.ts";

export const BUILDERS = { "amazon-chroot": amazonChroot, "amazon-direct": amazonDirect } as const;

export type BuilderConfig = AmazonChrootConfig | AmazonDirectConfig;

export const PROVISIONERS = {
  shell: shellProvisioner,
  file: fileProvisioner,
  breakpoint: breakpointProvisioner,
} as const;

export const POST_PROCESSORS = { manifest: manifestPostProcessor } as const;

/** Known by name only, so that a message can say so. */
export const PROVISIONERS_NOT_YET = ["ansible", "ansible-local", "shell-local", "sleep"];

export const POST_PROCESSORS_NOT_YET = ["artifice", "checksum", "compress", "shell-local"];

/** Builders of Packer for which amibake is the wrong tool: they launch machines or make other things than AMIs. */
export const PACKER_BUILDERS = [
  ...["amazon-ebs", "amazon-ebssurrogate", "amazon-ebsvolume", "amazon-instance", "azure-arm", "docker", "file"],
  ...["googlecompute", "lxc", "lxd", "null", "openstack", "qemu", "vagrant", "virtualbox-iso", "vmware-iso"],
];

export const PACKER_PROVISIONERS = [
  ...["chef-client", "chef-solo", "converge", "inspec", "powershell", "puppet-masterless", "puppet-server"],
  ...["salt-masterless", "windows-restart", "windows-shell"],
];

/** Those are for other clouds and for the files of virtual machines. */
export const PACKER_POST_PROCESSORS = [
  ...["alicloud-import", "amazon-import", "digitalocean-import", "docker-import", "docker-push", "docker-save"],
  ...["docker-tag", "exoscale-import", "googlecompute-export", "googlecompute-import", "provenance", "ucloud-import"],
  ...["vagrant", "vagrant-cloud", "vsphere", "vsphere-template", "yandex-export", "yandex-import"],
];
