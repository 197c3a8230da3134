locals {
  short_commit = substr(var.commit, 0, 7)
}

source "amazon-chroot" "service" {
  ami_name        = "${var.team}-service-${local.short_commit}-{{timestamp}}"
  ami_description = "The service at ${local.short_commit}"

  source_ami_filter {
    filters     = { name = var.source_name }
    owners      = [var.source_owner]
    most_recent = true
  }

  tags = {
    Team   = var.team
    Commit = var.commit
    From   = "{{ .SourceAMIName }}"
  }
}
