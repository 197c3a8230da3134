import * as z from "zod";
import { STRING } from "../../hcl2/values/value.ts";
import type { DataSource } from "./data-source.ts";

/** The keys of `data "null"`, which asks nobody. */
export const nullDataSchema = z.strictObject({ input: z.string().describe("What its `output` is") });

export type NullDataConfig = z.infer<typeof nullDataSchema>;

export const nullData: DataSource<NullDataConfig> = {
  type: "null",
  schema: nullDataSchema,
  outputs: { output: STRING },
  keysNotYet: [],
};
