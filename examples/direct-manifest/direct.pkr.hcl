# From any Linux machine: no instance and no volume. What is built from what is told in a manifest, whose entry names the
# manifest of the image's blocks: the next upload sends only those that differ.
variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "manifest" {
  type    = string
  default = "packer-manifest.json"
}

variable "overlay_directory" {
  description = "Where the blocks that the build writes are kept: room for all of them is needed"
  type        = string
  default     = "/var/tmp/amibake-overlay"
}

source "amazon-direct" "debian" {
  region            = var.region
  ami_name          = "debian-tools-{{timestamp}}"
  overlay_directory = var.overlay_directory
  pass_environment  = ["HTTPS_PROXY"]
  suppress_sync     = true
  max_processes     = 2048

  source_ami_filter {
    filters = {
      name         = "debian-12-amd64-*"
      architecture = "x86_64"
    }
    owners      = ["136693071363"]
    most_recent = true
  }
}

build {
  name    = "tools"
  sources = ["source.amazon-direct.debian"]

  provisioner "shell" {
    inline = ["apt-get update", "apt-get install --yes --no-install-recommends jq tree"]
  }

  post-processor "manifest" {
    output     = var.manifest
    strip_time = true
    custom_data = {
      source_id   = build.SourceAMI
      source_name = build.SourceAMIName
      by          = "${source.type}/${source.name} of amibake ${packer.version}"
    }
  }
}
