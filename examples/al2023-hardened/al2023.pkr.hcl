# Amazon Linux 2023, hardened by scripts that run one after the other, each as the execute_command says.
variable "region" {
  type    = string
  default = env("AWS_REGION")
}

variable "kernel" {
  type    = string
  default = "6.1"
}

variable "audit_level" {
  description = "How strictly is logged: 0 to 2"
  type        = number
  default     = 1

  validation {
    condition     = var.audit_level >= 0 && var.audit_level <= 2
    error_message = "The audit level must be 0, 1 or 2."
  }
}

locals {
  scripts = sort(fileset("scripts", "*.sh"))
}

source "amazon-chroot" "al2023" {
  region   = var.region
  ami_name = "al2023-hardened-{{isotime \"2006-01-02-150405\"}}"

  source_ami_filter {
    filters = {
      name             = "al2023-ami-2023.*-kernel-${var.kernel}-x86_64"
      root-device-type = "ebs"
    }
    owners      = ["amazon"]
    most_recent = true
  }

  aws_polling {
    delay_seconds = 5
    max_attempts  = 240
  }

  imds_support = "v2.0"
  deprecate_at = timeadd(timestamp(), "2160h")
  deregistration_protection {
    enabled = true
  }

  tags = {
    Name      = "al2023-hardened"
    Hardening = "level ${var.audit_level}"
  }
}

build {
  sources = ["source.amazon-chroot.al2023"]

  provisioner "shell" {
    execute_command = "chmod +x {{ .Path }}; {{ .Vars }} bash -eux -o pipefail {{ .Path }}"
    environment_vars = [
      "AUDIT_LEVEL=${var.audit_level}",
      "LC_ALL=C.UTF-8",
    ]
    scripts          = [for name in local.scripts : "${path.root}/scripts/${name}"]
    valid_exit_codes = [0, 2]
    timeout          = "20m"
  }
}
