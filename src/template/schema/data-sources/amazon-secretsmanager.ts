import * as z from "zod/mini";
import { STRING } from "../../hcl2/values/value.ts";
import { ACCESS_KEYS_NOT_YET, accessFields } from "../access-fields.ts";
import { described } from "../fields.ts";
import type { DataSource } from "./data-source.ts";

/** The keys of `data "amazon-secretsmanager"`. */
export const amazonSecretsManagerDataSchema = z.strictObject({
  name: described(z.string(), "Name or ARN of the secret"),
  key: described(
    z.optional(z.string()),
    "Which part of a secret that is a JSON object is its `value`. Without it, the first one",
  ),
  version_id: described(z.optional(z.string()), "Id of the version. Without it, the stage decides"),
  version_stage: described(z._default(z.string(), "AWSCURRENT"), "Stage of the version"),
  ...accessFields,
});

export type AmazonSecretsManagerDataConfig = z.infer<typeof amazonSecretsManagerDataSchema>;

export const amazonSecretsManagerData: DataSource<AmazonSecretsManagerDataConfig> = {
  type: "amazon-secretsmanager",
  schema: amazonSecretsManagerDataSchema,
  outputs: { value: STRING, secret_string: STRING, version_id: STRING },
  keysNotYet: ACCESS_KEYS_NOT_YET,
};
