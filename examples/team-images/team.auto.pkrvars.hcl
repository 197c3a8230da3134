tags = {
  Team       = "web"
  CostCenter = "4711"
}
