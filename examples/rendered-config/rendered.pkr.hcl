# Files of the image that are made from variables: by templatefile, by heredocs with directives, and by for expressions.
variable "source_name" {
  type    = string
  default = "debian-12-amd64-*"
}

variable "source_owner" {
  type    = string
  default = "136693071363"
}

variable "sites" {
  description = "The sites of the proxy, by their names"
  type = map(object({
    port  = number
    hosts = list(string)
    tls   = optional(bool, true)
  }))
  default = {
    shop = { port = 8080, hosts = ["shop.example.com", "www.shop.example.com"] }
    blog = { port = 8081, hosts = ["blog.example.com"], tls = false }
  }

  validation {
    condition     = alltrue([for site in values(var.sites) : site.port >= 1024 && site.port < 65536])
    error_message = "The port of every site must be from 1024 to 65535."
  }
  validation {
    condition     = length(var.sites) > 0
    error_message = "There must be a site, or there is nothing to serve."
  }
}

locals {
  hosts_by_site = { for name, site in var.sites : name => join(" ", sort(site.hosts)) }
  secure        = [for name, site in var.sites : name if site.tls]

  # Not <<-: a line that begins with a directive counts as one without indent, so that nothing would be removed.
  motd = <<EOT
This machine serves ${length(var.sites)} site${length(var.sites) == 1 ? "" : "s"}:
%{for name, hosts in local.hosts_by_site~}
- ${format("%-6s", name)} ${hosts}%{if contains(local.secure, name)} (TLS)%{endif}
%{endfor~}
EOT
}

source "amazon-chroot" "proxy" {
  ami_name = "proxy-{{timestamp}}"

  source_ami_filter {
    filters     = { name = var.source_name }
    owners      = [var.source_owner]
    most_recent = true
  }

  tags = { for name, site in var.sites : "site/${name}" => site.port }
}

build {
  sources = ["source.amazon-chroot.proxy"]

  provisioner "file" {
    destination = "/etc/motd"
    content     = local.motd
  }

  provisioner "file" {
    destination = "/etc/proxy.conf"
    content     = templatefile("${abspath(path.root)}/proxy.conf.pkrtpl.hcl", { sites = var.sites, contact = "ops@example.com" })
  }

  provisioner "file" {
    destination = "/etc/sites.json"
    content     = jsonencode({ for name, site in var.sites : name => site if site.tls })
  }

  provisioner "shell" {
    inline = flatten([for name, site in var.sites : [
      "mkdir -p /srv/${name}",
      "echo ${site.port} > /srv/${name}/port",
    ]])
  }
}
