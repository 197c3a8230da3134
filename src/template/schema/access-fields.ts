import * as z from "zod";

/** How AWS is reached, and as whom. */
export const accessFields = {
  access_key: z
    .string()
    .optional()
    .describe("Access key. Without it: the environment, the profile, the instance role. Never shown"),
  secret_key: z.string().optional().describe("Secret key. Goes with `access_key`. Never shown"),
  token: z.string().optional().describe("Session token of temporary keys. Never shown"),
  region: z
    .string()
    .optional()
    .describe("Region. Without it: AWS_REGION, AWS_DEFAULT_REGION, the profile, this instance"),
  profile: z.string().optional().describe("Profile in the shared AWS configuration"),
  shared_credentials_file: z.string().optional().describe("Path of the shared credentials file"),
  custom_endpoint_ec2: z.string().optional().describe("URL of the EC2 endpoint, instead of AWS's own"),
  aws_polling: z
    .strictObject({
      delay_seconds: z.number().int().min(1).optional().describe("Seconds between two looks"),
      max_attempts: z.number().int().min(1).optional().describe("Looks before giving up"),
    })
    .optional()
    .describe("How AWS is asked whether something is ready. Without it, often at first and then less often"),
};

/** Keys of Packer's for its way to AWS that nothing here has yet. */
export const ACCESS_KEYS_NOT_YET = [
  ...["assume_role", "decode_authorization_messages", "insecure_skip_tls_verify", "max_retries", "mfa_code"],
  ...["skip_credential_validation", "skip_metadata_api_check", "skip_region_validation", "vault_aws_engine"],
];
