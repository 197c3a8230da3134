import * as z from "zod/mini";
import { described } from "./fields.ts";

/** How AWS is reached, and as whom. */
export const accessFields = {
  access_key: described(
    z.optional(z.string()),
    "Access key. Without it: the environment, the profile, the instance role. Never shown",
  ),
  secret_key: described(z.optional(z.string()), "Secret key. Goes with `access_key`. Never shown"),
  token: described(z.optional(z.string()), "Session token of temporary keys. Never shown"),
  region: described(
    z.optional(z.string()),
    "Region. Without it: AWS_REGION, AWS_DEFAULT_REGION, the profile, this instance",
  ),
  profile: described(z.optional(z.string()), "Profile in the shared AWS configuration"),
  shared_credentials_file: described(z.optional(z.string()), "Path of the shared credentials file"),
  custom_endpoint_ec2: described(z.optional(z.string()), "URL of the EC2 endpoint, instead of AWS's own"),
  aws_polling: described(
    z.optional(
      z.strictObject({
        delay_seconds: described(z.optional(z.int().check(z.minimum(1))), "Seconds between two looks"),
        max_attempts: described(z.optional(z.int().check(z.minimum(1))), "Looks before giving up"),
      }),
    ),
    "How AWS is asked whether something is ready. Without it, often at first and then less often",
  ),
};

/** Keys of Packer's for its way to AWS that nothing here has yet. */
export const ACCESS_KEYS_NOT_YET = [
  ...["assume_role", "decode_authorization_messages", "insecure_skip_tls_verify", "max_retries", "mfa_code"],
  ...["skip_credential_validation", "skip_metadata_api_check", "skip_region_validation", "vault_aws_engine"],
];
