import * as z from "zod/mini";
import { STRING } from "../../hcl2/values/value.ts";
import { described } from "../fields.ts";
import type { DataSource } from "./data-source.ts";

/** The keys of `data "null"`, which asks nobody. */
export const nullDataSchema = z.strictObject({ input: described(z.string(), "What its `output` is") });

export type NullDataConfig = z.infer<typeof nullDataSchema>;

export const nullData: DataSource<NullDataConfig> = {
  type: "null",
  schema: nullDataSchema,
  outputs: { output: STRING },
  keysNotYet: [],
};
