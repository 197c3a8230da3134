import * as z from "zod";
import { durationMs } from "./fields.ts";

/** Which builds something of the template is for. */
export function buildChoiceFields(kind: "provisioner" | "post-processor") {
  return {
    only: z.array(z.string()).default([]).describe(`Builds that use this ${kind}; without it, all do`),
    except: z.array(z.string()).default([]).describe(`Builds that do not use this ${kind}`),
  };
}

/** The keys that every provisioner has, less `override`, whose keys are names of builds. */
export const provisionerSettingsSchema = z.strictObject({
  ...buildChoiceFields("provisioner"),
  pause_before: durationMs().default(0).describe("How long to wait before it, such as `10s`"),
  timeout: durationMs().optional().describe("How long it may take, such as `1h5m`. Without it, as long as it likes"),
  max_retries: z.number().int().min(0).default(0).describe("How often it is tried again after it failed"),
});

export type ProvisionerSettings = z.infer<typeof provisionerSettingsSchema>;
