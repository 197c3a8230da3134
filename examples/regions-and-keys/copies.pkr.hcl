# One image for three regions, encrypted with a key of each, for other accounts and a whole organization.
variable "regions" {
  description = "Where copies go, and by which key they are encrypted"
  type        = map(string)
  default = {
    us-east-1      = "alias/images"
    eu-central-1   = "arn:aws:kms:eu-central-1:111111111111:key/0a1b2c3d-0000-4000-8000-000000000000"
    ap-southeast-2 = ""
  }
}

variable "accounts" {
  type    = list(string)
  default = ["222222222222", "333333333333"]
}

variable "organization" {
  type    = string
  default = "arn:aws:organizations::111111111111:organization/o-abcdefghij"
}

locals {
  home   = "us-east-1"
  copies = [for region in sort(keys(var.regions)) : region if region != local.home]
}

source "amazon-chroot" "shared" {
  region                 = local.home
  ami_name               = "shared-${formatdate("YYYY-MM-DD", timestamp())}"
  ami_regions            = local.copies
  encrypt_boot           = true
  kms_key_id             = var.regions[local.home]
  region_kms_key_ids     = { for region in local.copies : region => var.regions[region] }
  ami_users              = var.accounts
  ami_org_arns           = [var.organization]
  snapshot_users         = var.accounts
  force_deregister       = true
  force_delete_snapshot  = true
  root_volume_kms_key_id = var.regions[local.home]
  root_volume_type       = "gp3"
  source_ami             = "ami-0123456789abcdef0"

  root_volume_tags = {
    Purpose = "a build that runs"
  }

  assume_role {
    role_arn     = "arn:aws:iam::111111111111:role/ImageBuilder"
    session_name = "images"
  }
}

build {
  sources = ["source.amazon-chroot.shared"]

  provisioner "shell" {
    inline = ["yum --assumeyes update"]
  }
}
