# Values that are asked for before the build: the newest image, a parameter, a secret, and a file from the web. To check
# them too: amibake validate -evaluate-datasources.
data "amazon-ami" "ubuntu" {
  filters = {
    name                = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"
    root-device-type    = "ebs"
    virtualization-type = "hvm"
  }
  owners      = ["099720109477"]
  most_recent = true
  region      = var.region
}

data "amazon-parameterstore" "agent_config" {
  name   = "/images/${var.stage}/agent-config"
  region = var.region
}

data "amazon-secretsmanager" "license" {
  name   = "images/license"
  key    = "token"
  region = var.region
}

data "http" "root_certificate" {
  url = "https://www.amazontrust.com/repository/AmazonRootCA1.pem"
  request_headers = {
    Accept = "application/x-pem-file"
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "stage" {
  type    = string
  default = "production"
}

locals {
  source_date = formatdate("YYYY-MM-DD", data.amazon-ami.ubuntu.creation_date)
  agent       = jsondecode(data.amazon-parameterstore.agent_config.value)
}

source "amazon-chroot" "jammy" {
  region     = var.region
  source_ami = data.amazon-ami.ubuntu.id
  ami_name   = "jammy-${var.stage}-${local.source_date}"
  tags = {
    SourceName = data.amazon-ami.ubuntu.name
    Stage      = var.stage
  }
}

build {
  sources = ["source.amazon-chroot.jammy"]

  provisioner "file" {
    destination = "/usr/local/share/ca-certificates/amazon-root-1.crt"
    content     = data.http.root_certificate.body
  }

  provisioner "shell" {
    env = {
      LICENSE   = data.amazon-secretsmanager.license.value
      LOG_GROUP = local.agent.log_group
    }
    inline = [
      "update-ca-certificates",
      "printf 'license=%s\\n' \"$LICENSE\" | install -m 600 /dev/stdin /etc/agent.conf",
    ]
  }
}
