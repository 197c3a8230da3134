# Rocky Linux 9: its root is XFS on the fourth partition. With `nouuid` it can be mounted beside another copy of the same
# image; the mappings say which volumes instances get; Ansible enters the mounted image.
packer {
  required_version = ">= 1.7.0"
  required_plugins {
    amazon = {
      version = ">= 1.2.8"
      source  = "github.com/hashicorp/amazon"
    }
    ansible = {
      version = "~> 1"
      source  = "github.com/hashicorp/ansible"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "release" {
  description = "Minor release, such as 9.4"
  type        = string
  default     = "9.4"

  validation {
    condition     = can(regex("^9\\.[0-9]+$", var.release))
    error_message = "The release must be one of Rocky Linux 9, such as 9.4."
  }
}

locals {
  rocky_account = "792107900819"
  stamp         = formatdate("YYYYMMDD-hhmm", timestamp())
}

source "amazon-chroot" "rocky9" {
  region          = var.region
  ami_name        = "rocky-${var.release}-base-${local.stamp}"
  ami_description = "Rocky Linux ${var.release} from {{ .SourceAMIName }}"
  ena_support     = true

  source_ami_filter {
    filters = {
      name                = "Rocky-9-EC2-Base-${var.release}-*"
      architecture        = "x86_64"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
    owners      = [local.rocky_account]
    most_recent = true
  }

  mount_partition  = "4"
  mount_options    = ["nouuid"]
  root_volume_size = 20
  root_device_name = "/dev/sda1"

  ami_block_device_mappings {
    device_name           = "/dev/sda1"
    volume_type           = "gp3"
    delete_on_termination = true
  }
  ami_block_device_mappings {
    device_name           = "/dev/sdb"
    volume_size           = 50
    volume_type           = "gp3"
    iops                  = 3000
    throughput            = 125
    delete_on_termination = true
    encrypted             = true
  }

  tags = {
    Name       = "rocky-${var.release}-base"
    OS_Version = "Rocky Linux ${var.release}"
    Base_AMI   = "{{ .SourceAMI }}"
  }
}

build {
  sources = ["source.amazon-chroot.rocky9"]

  provisioner "shell" {
    inline = ["dnf --assumeyes install python3 policycoreutils"]
  }

  provisioner "ansible" {
    playbook_file           = "${path.root}/playbook.yml"
    use_proxy               = false
    user                    = "root"
    inventory_file_template = "default ansible_host=${build.MountPath} ansible_connection=chroot\n"
    extra_arguments         = ["--diff", "--extra-vars", "release=${var.release}"]
  }

  provisioner "shell" {
    inline = [
      "fixfiles -F onboot",
      "dnf clean all",
      "truncate --size=0 /etc/machine-id",
    ]
  }
}
