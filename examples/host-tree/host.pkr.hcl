# What of this host the image's commands see: mounts of its own, with the host's package cache in them; files that are lent
# to the image; and every command on the host through sudo.
variable "package_cache" {
  type    = string
  default = "/var/cache/apt/archives"
}

locals {
  default_mounts = [
    ["proc", "proc", "/proc"],
    ["sysfs", "sysfs", "/sys"],
    ["bind", "/dev", "/dev"],
    ["devpts", "devpts", "/dev/pts"],
  ]
}

source "amazon-chroot" "cached" {
  ami_name        = "cached-{{timestamp}}"
  source_ami      = "ami-0123456789abcdef0"
  command_wrapper = "sudo {{.Command}}"
  mount_command   = "mount"
  unmount_command = "umount"
  mount_path      = "/mnt/images/{{.Device}}"
  mount_options   = ["noatime", "commit=60"]

  copy_files = ["/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt", "/etc/apt/apt.conf.d/01proxy"]
  chroot_mounts = concat(local.default_mounts, [
    ["tmpfs", "tmpfs", "/tmp"],
    ["bind", var.package_cache, "/var/cache/apt/archives"],
  ])

  allow_services   = false
  pass_environment = ["http_proxy", "https_proxy", "no_proxy"]
}

build {
  sources = ["source.amazon-chroot.cached"]

  provisioner "shell" {
    use_env_var_file = true
    environment_vars = ["DEBIAN_FRONTEND=noninteractive"]
    inline           = ["apt-get update", "apt-get --yes dist-upgrade"]
  }
}
