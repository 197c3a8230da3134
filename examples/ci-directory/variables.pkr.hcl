variable "source_name" {
  description = "Name of the image to start from"
  type        = string
  default     = "debian-12-amd64-*"
}

variable "source_owner" {
  type    = string
  default = "136693071363"
}

variable "commit" {
  description = "What is built: set by the pipeline as PKR_VAR_commit"
  type        = string
  default     = "unknown"
}

variable "environments" {
  type = map(object({
    log_level = string
    replicas  = optional(number, 1)
  }))
}

variable "team" {
  type = string
}
