# A Nitro instance, as templates are written for Packer there: EC2's name of the device beside the one that Linux gives it.
# amibake finds the NVMe device by the volume's id, so both lines can go.
source "amazon-chroot" "nitro" {
  ami_name         = "nitro-{{timestamp}}"
  source_ami       = "ami-0123456789abcdef0"
  device_path      = "/dev/xvdf"
  nvme_device_path = "/dev/nvme1n1p"
  mount_partition  = 1
  mount_options    = ["nouuid", "noatime"]
  ena_support      = true
}

build {
  sources = ["amazon-chroot.nitro"]

  provisioner "shell" {
    inline = [
      "dracut --force --add-drivers 'nvme ena' --kver \"$(ls /lib/modules | tail -n 1)\"",
    ]
  }
}
