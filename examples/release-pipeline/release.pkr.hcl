# Two images with what differs between them: only, except and override; what is saved if a build fails; and the steps after
# it in sequences, each of which works on what the one before it left.
variable "source_ami" {
  type = map(string)
  default = {
    amd64 = "ami-0123456789abcdef0"
    arm64 = "ami-0fedcba9876543210"
  }
}

source "amazon-chroot" "amd64" {
  ami_name   = "release-amd64-{{timestamp}}"
  source_ami = var.source_ami["amd64"]
}

source "amazon-chroot" "arm64" {
  ami_name   = "release-arm64-{{timestamp}}"
  source_ami = var.source_ami.arm64
}

build {
  sources = ["source.amazon-chroot.amd64", "source.amazon-chroot.arm64"]

  provisioner "shell-local" {
    inline = ["make dist"]
  }

  provisioner "shell" {
    inline = ["install-release --arch amd64"]
    override = {
      arm64 = {
        inline = ["install-release --arch arm64 --without-avx"]
      }
    }
    max_retries = 2
  }

  provisioner "shell" {
    only   = ["amazon-chroot.amd64"]
    inline = ["install-microcode"]
  }

  provisioner "shell" {
    except       = ["amazon-chroot.arm64"]
    inline       = ["run-self-test"]
    pause_before = "5s"
    timeout      = "10m"
  }

  error-cleanup-provisioner "file" {
    direction   = "download"
    source      = "/var/log/install-release.log"
    destination = "failed-${source.name}.log"
  }

  post-processors {
    post-processor "manifest" {
      output = "release.json"
    }
    post-processor "checksum" {
      checksum_types = ["sha256"]
      output         = "release.{{.ChecksumType}}"
    }
    post-processor "shell-local" {
      name   = "publish"
      inline = ["publish-image release.json"]
    }
  }

  post-processor "manifest" {
    output     = "history.json"
    except     = ["amazon-chroot.arm64"]
    strip_time = true
  }
}
