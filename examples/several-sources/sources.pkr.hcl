# Three images of one build: a source for each release with what all share in locals, and tags from maps by `dynamic`.
variable "owner_team" {
  type    = string
  default = "platform"
}

variable "extra_tags" {
  type    = map(string)
  default = { CostCenter = "4711" }
}

variable "debian_owners" {
  type    = list(string)
  default = ["136693071363"]
}

locals {
  stamp = regex_replace(timestamp(), "[- TZ:]", "")
  tags = merge(var.extra_tags, {
    Team    = var.owner_team
    BuiltAt = local.stamp
  })
  packages = {
    bullseye = ["curl", "python3-venv"]
    bookworm = ["curl", "pipx"]
  }
}

local "registry_password" {
  expression = base64encode("ci:${var.owner_team}")
  sensitive  = true
}

source "amazon-chroot" "bullseye" {
  ami_name = "${var.owner_team}-bullseye-${local.stamp}"
  source_ami_filter {
    filters     = { name = "debian-11-amd64-*" }
    owners      = var.debian_owners
    most_recent = true
  }

  dynamic "tag" {
    for_each = local.tags
    content {
      key   = tag.key
      value = tag.value
    }
  }
}

source "amazon-chroot" "bookworm" {
  ami_name = "${var.owner_team}-bookworm-${local.stamp}"
  source_ami_filter {
    filters     = { name = "debian-12-amd64-*" }
    owners      = var.debian_owners
    most_recent = true
  }

  dynamic "tag" {
    for_each = [for name, value in local.tags : { name = lower(name), text = value } if value != ""]
    iterator = each
    content {
      key   = each.value.name
      value = each.value.text
    }
  }
  dynamic "snapshot_tag" {
    for_each = local.tags
    content {
      key   = "image/${snapshot_tag.key}"
      value = snapshot_tag.value
    }
  }
}

build {
  name    = "web"
  sources = ["source.amazon-chroot.bullseye"]

  source "amazon-chroot.bookworm" {
    name             = "bookworm-large"
    ami_description  = "bookworm with room"
    root_volume_size = 40
  }

  provisioner "shell" {
    env = {
      REGISTRY_AUTH = local.registry_password
      RELEASE       = source.name
    }
    inline = concat(
      ["apt-get update"],
      formatlist("apt-get install --yes %s", distinct(flatten(values(local.packages)))),
      ["rm -rf /var/lib/apt/lists/*"],
    )
    only = ["amazon-chroot.bullseye"]
  }

  provisioner "shell" {
    inline = [for package in local.packages["bookworm"] : "apt-get install --yes ${package}"]
    only   = ["amazon-chroot.bookworm-large"]
  }
}

build {
  name = "bare"
  source "amazon-chroot.bookworm" {
    name = "bookworm-bare"
  }
}
