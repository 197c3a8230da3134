# The second of a chain: an application in the newest base, whose generation it takes over.
variable "application" {
  type    = string
  default = "shop"
}

source "amazon-chroot" "app" {
  ami_name        = "${var.application}-{{timestamp}}"
  ami_description = "${title(var.application)} on {{ .SourceAMIName }}"

  source_ami_filter {
    filters = {
      "tag:Role" = "golden-base"
      state      = "available"
    }
    owners      = ["self"]
    most_recent = true
  }

  tags = {
    Role       = "application"
    Base       = "{{ .SourceAMI }}"
    Generation = "{{ .SourceAMITags.Generation }}"
  }
}

build {
  sources = ["source.amazon-chroot.app"]

  provisioner "shell" {
    inline = ["grep -q '^generation ' /etc/golden"]
  }

  provisioner "shell" {
    env = { BASE = build.SourceAMIName }
    inline = [
      "mkdir -p /srv/${var.application}",
      "echo \"${var.application} on $BASE\" > /srv/${var.application}/origin",
    ]
  }
}
