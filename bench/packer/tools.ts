import type { Tool } from "./compare.ts";

const PACKER = "/usr/bin/packer";

export const AMIBAKE_CHROOT: Tool = {
  name: "amibake, amazon-chroot",
  argv: (amibake) => [...amibake, "build", "-color=false"],
};

export const PACKER_DEFAULTS: Tool = { name: "Packer, defaults", argv: () => [PACKER, "build"] };

export const PACKER_TUNED: Tool = {
  name: "Packer, polling each 2 s",
  argv: () => [PACKER, "build"],
  // As `aws_polling` would, so that the template stays the same for all.
  env: { AWS_POLL_DELAY_SECONDS: "2", AWS_MAX_ATTEMPTS: "900" },
};
