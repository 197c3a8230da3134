# A template of a pipeline: a directory of files that are read together, with its values in team.auto.pkrvars.hcl.
build {
  name    = "ci"
  sources = ["source.amazon-chroot.service"]

  provisioner "file" {
    source      = "${path.root}/files/"
    destination = "/opt"
  }

  provisioner "shell" {
    env = { COMMIT = var.commit }
    inline = concat(
      ["mkdir -p /etc/service"],
      [for name, settings in var.environments :
        "echo 'level=${settings.log_level} replicas=${settings.replicas}' > /etc/service/${name}.conf"
      ],
      ["echo \"$COMMIT\" > /etc/service/commit", "chmod 755 /opt/service.sh"],
    )
  }

  post-processor "manifest" {
    output     = "image.json"
    strip_path = true
    custom_data = {
      commit = var.commit
      source = build.SourceAMI
    }
  }
}
