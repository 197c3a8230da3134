# Images for two teams from one source: what differs is in locals, and each image gets the tags of its team.
packer {
  required_version = ">= 1.7.0"
}

data "amazon-ami" "base" {
  filters = {
    name         = var.source_name
    architecture = "x86_64"
  }
  owners      = var.owners
  most_recent = true
}

locals {
  stamp = formatdate("YYYYMMDD-hhmmss", timestamp())
  tags = merge(var.tags, {
    Base   = data.amazon-ami.base.name
    Baked  = local.stamp
    Source = "{{ .SourceAMI }}"
  })
}

source "amazon-direct" "web" {
  ami_name        = "web-${local.stamp}"
  ami_description = "Web servers, from ${data.amazon-ami.base.name}"
  source_ami      = data.amazon-ami.base.id

  dynamic "tag" {
    for_each = local.tags
    content {
      key   = tag.key
      value = tag.value
    }
  }
}

source "amazon-direct" "worker" {
  ami_name   = "worker-${local.stamp}"
  source_ami = data.amazon-ami.base.id
  tags       = merge(local.tags, { Team = "batch" })
}

build {
  name    = "nightly"
  sources = ["source.amazon-direct.web", "source.amazon-direct.worker"]

  provisioner "shell" {
    env = {
      ROLE = source.name
    }
    inline = [
      "echo \"Baked from ${build.SourceAMIName} for $ROLE\" > /etc/motd",
      "printf '%s\\n' ${join(" ", [for name in keys(local.tags) : lower(name)])} > /etc/image-role",
    ]
  }

  provisioner "shell" {
    only   = ["amazon-direct.worker"]
    inline = ["mkdir -p /var/spool/batch"]
  }

  post-processor "manifest" {
    output      = var.manifest
    custom_data = { base = build.SourceAMI, role = source.name }
  }
}
