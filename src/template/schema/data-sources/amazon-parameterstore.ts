import * as z from "zod/mini";
import { STRING } from "../../hcl2/values/value.ts";
import { ACCESS_KEYS_NOT_YET, accessFields } from "../access-fields.ts";
import { described } from "../fields.ts";
import type { DataSource } from "./data-source.ts";

/** The keys of `data "amazon-parameterstore"`. */
export const amazonParameterStoreDataSchema = z.strictObject({
  name: described(z.string(), "Name of the parameter, with its path"),
  with_decryption: described(
    z._default(z.boolean(), false),
    "Whether a secret parameter is decrypted. Then it is never shown",
  ),
  ...accessFields,
});

export type AmazonParameterStoreDataConfig = z.infer<typeof amazonParameterStoreDataSchema>;

export const amazonParameterStoreData: DataSource<AmazonParameterStoreDataConfig> = {
  type: "amazon-parameterstore",
  schema: amazonParameterStoreDataSchema,
  outputs: { value: STRING, version: STRING, arn: STRING },
  keysNotYet: ACCESS_KEYS_NOT_YET,
};
