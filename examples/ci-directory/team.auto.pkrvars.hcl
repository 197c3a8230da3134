team = "payments"

environments = {
  staging    = { log_level = "debug" }
  production = { log_level = "warn", replicas = 3 }
}
