# Debian from nothing: partitions, file systems and debootstrap on an empty volume, then GRUB for BIOS and UEFI.
variable "suite" {
  type    = string
  default = "bookworm"
}

variable "mirror" {
  type    = string
  default = "https://deb.debian.org/debian"
}

variable "arch" {
  type    = string
  default = "amd64"

  validation {
    condition     = contains(["amd64", "arm64"], var.arch)
    error_message = "The architecture must be amd64 or arm64."
  }
}

locals {
  ec2_arch = { amd64 = "x86_64", arm64 = "arm64" }[var.arch]
  packages = ["linux-image-cloud-${var.arch}", "grub-efi-${var.arch}", "systemd-sysv", "openssh-server", "cloud-init"]
}

source "amazon-chroot" "debian" {
  ami_name                = "debian-${var.suite}-${var.arch}-{{timestamp}}"
  ami_description         = "Debian ${var.suite}, built from nothing"
  ami_virtualization_type = "hvm"
  ami_architecture        = local.ec2_arch
  boot_mode               = "uefi-preferred"
  ena_support             = true
  sriov_support           = true

  from_scratch     = true
  root_volume_size = 8
  root_device_name = "xvda"
  mount_partition  = "2"

  ami_block_device_mappings {
    device_name           = "xvda"
    volume_type           = "gp3"
    delete_on_termination = true
  }

  pre_mount_commands = [
    "sgdisk --new=1:0:+256M --typecode=1:ef00 --new=2:0:0 --typecode=2:8304 {{.Device}}",
    "mkfs.vfat -F 32 -n ESP {{.Device}}1",
    "mkfs.ext4 -q -L root {{.Device}}2",
  ]

  post_mount_commands = [
    "debootstrap --arch=${var.arch} --variant=minbase --include=${join(",", local.packages)} ${var.suite} {{.MountPath}} ${var.mirror}",
    "mkdir -p {{.MountPath}}/boot/efi",
    "mount {{.Device}}1 {{.MountPath}}/boot/efi",
  ]

  copy_files = ["/etc/resolv.conf"]
  tags       = { Name = "debian-${var.suite}" }
}

build {
  sources = ["source.amazon-chroot.debian"]

  provisioner "file" {
    destination = "/etc/fstab"
    content     = <<-EOT
      LABEL=root  /          ext4  defaults,discard  0 1
      LABEL=ESP   /boot/efi  vfat  umask=0077        0 1
    EOT
  }

  provisioner "shell" {
    env = { DEBIAN_FRONTEND = "noninteractive" }
    inline = [
      "grub-install --target=${var.arch == "arm64" ? "arm64-efi" : "x86_64-efi"} --removable --no-nvram",
      "update-grub",
      "umount /boot/efi",
      "apt-get clean",
    ]
  }
}
