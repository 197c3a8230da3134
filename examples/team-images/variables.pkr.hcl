variable "source_name" {
  type        = string
  default     = "debian-12-*"
  description = "Name of the image to start from; the newest that fits is taken"
}

variable "owners" {
  type    = list(string)
  default = ["self"]

  validation {
    condition     = length(var.owners) > 0
    error_message = "Name those whose images you trust."
  }
}

variable "tags" {
  type    = map(string)
  default = {}
}

variable "manifest" {
  type    = string
  default = "packer-manifest.json"
}
