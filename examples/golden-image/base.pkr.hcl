# The first of a chain: the image that all teams start from. app.pkr.hcl finds the newest one by its tags.
variable "source_name" {
  type    = string
  default = "debian-12-amd64-*"
}

variable "source_owner" {
  type    = string
  default = "136693071363"
}

variable "generation" {
  type    = number
  default = 1
}

source "amazon-chroot" "base" {
  ami_name = "golden-base-${format("%03d", var.generation)}"

  source_ami_filter {
    filters     = { name = var.source_name }
    owners      = [var.source_owner]
    most_recent = true
  }

  tags = {
    Role       = "golden-base"
    Generation = var.generation
    Ancestor   = "{{ .SourceAMIName }}"
  }
}

build {
  sources = ["source.amazon-chroot.base"]

  provisioner "shell" {
    inline_shebang = "/bin/sh -eu"
    inline = [
      "printf 'generation %d\\n' ${var.generation} > /etc/golden",
      "chmod 644 /etc/golden",
    ]
  }
}
