# Nodes of a cluster for two versions and two processors: four builds of one source, made by a dynamic block from the
# product of two sets, with what each version needs in a table.
variable "versions" {
  type = map(object({
    containerd = string
    pause      = optional(string, "3.9")
  }))
  default = {
    "1.29" = { containerd = "1.7.11" }
    "1.30" = { containerd = "1.7.16", pause = "3.10" }
  }
}

variable "processors" {
  type    = set(string)
  default = ["arm64", "x86_64"]
}

locals {
  matrix = {
    for pair in setproduct(keys(var.versions), var.processors) :
    "${replace(pair[0], ".", "-")}-${pair[1]}" => { version = pair[0], processor = pair[1] }
  }
  admins = csvdecode(file("files/admins.csv"))
}

source "amazon-chroot" "node" {
  ena_support      = true
  root_volume_size = 20
}

build {
  name = "kubernetes"

  dynamic "source" {
    for_each = local.matrix
    iterator = each
    labels   = ["amazon-chroot.node"]
    content {
      name     = each.key
      ami_name = "node-${each.key}-${formatdate("YYYYMMDD", timestamp())}"
      source_ami_filter {
        filters = {
          name         = "ubuntu-eks/k8s_${each.value.version}/images/*"
          architecture = each.value.processor
        }
        owners      = ["099720109477"]
        most_recent = true
      }
      tags = {
        KubernetesVersion = each.value.version
        Containerd        = var.versions[each.value.version].containerd
      }
    }
  }

  dynamic "provisioner" {
    for_each = [for admin in local.admins : admin if admin.shell != ""]
    iterator = admin
    labels   = ["shell"]
    content {
      inline = ["useradd --shell ${admin.value.shell} --groups sudo ${admin.value.name}"]
    }
  }

  provisioner "shell" {
    env = {
      NODE    = source.name
      PAUSE   = try(var.versions[replace(regex("^[0-9]+-[0-9]+", source.name), "-", ".")].pause, "3.9")
      KUBELET = yamlencode({ cgroupDriver = "systemd", maxPods = 110 })
    }
    inline = ["printf '%s' \"$KUBELET\" > /etc/kubernetes-kubelet.yaml", "systemctl enable kubelet"]
  }
}
