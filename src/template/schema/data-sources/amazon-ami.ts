import * as z from "zod/mini";
import { STRING } from "../../hcl2/values/value.ts";
import { ACCESS_KEYS_NOT_YET, accessFields } from "../access-fields.ts";
import { imageFilterFields } from "../image-fields.ts";
import type { DataSource } from "./data-source.ts";

/** The keys of `data "amazon-ami"`: those of `source_ami_filter`, and how AWS is reached. */
export const amazonAmiDataSchema = z.strictObject({ ...imageFilterFields, ...accessFields });

export type AmazonAmiDataConfig = z.infer<typeof amazonAmiDataSchema>;

export const amazonAmiData: DataSource<AmazonAmiDataConfig> = {
  type: "amazon-ami",
  schema: amazonAmiDataSchema,
  outputs: {
    id: STRING,
    name: STRING,
    creation_date: STRING,
    owner: STRING,
    owner_name: STRING,
    tags: { kind: "map", element: STRING },
  },
  keysNotYet: ACCESS_KEYS_NOT_YET,
};
