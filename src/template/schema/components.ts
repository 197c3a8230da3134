import { amazonChroot } from "./amazon-chroot.ts";
import { fileProvisioner } from "./file-provisioner.ts";
import { shellProvisioner } from "./shell-provisioner.ts";

export const BUILDERS = { "amazon-chroot": amazonChroot } as const;

export const PROVISIONERS = { shell: shellProvisioner, file: fileProvisioner } as const;

/** Known by name only, so that a message can say so. */
export const BUILDERS_NOT_YET = ["amazon-direct"];

export const PROVISIONERS_NOT_YET = ["ansible", "ansible-local", "breakpoint", "shell-local", "sleep"];

/** Builders of Packer for which amibake is the wrong tool: they launch machines or make other things than AMIs. */
export const PACKER_BUILDERS = [
  ...["amazon-ebs", "amazon-ebssurrogate", "amazon-ebsvolume", "amazon-instance", "azure-arm", "docker", "file"],
  ...["googlecompute", "lxc", "lxd", "null", "openstack", "qemu", "vagrant", "virtualbox-iso", "vmware-iso"],
];

export const PACKER_PROVISIONERS = [
  ...["chef-client", "chef-solo", "converge", "inspec", "powershell", "puppet-masterless", "puppet-server"],
  ...["salt-masterless", "windows-restart", "windows-shell"],
];
