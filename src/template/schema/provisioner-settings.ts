import * as z from "zod/mini";
import { described, durationMs } from "./fields.ts";

/** Which builds something of the template is for. */
export function buildChoiceFields(kind: "provisioner" | "post-processor") {
  return {
    only: described(z._default(z.array(z.string()), []), `Builds that use this ${kind}; without it, all do`),
    except: described(z._default(z.array(z.string()), []), `Builds that do not use this ${kind}`),
  };
}

/** The keys that every provisioner has, less `override`, whose keys are names of builds. */
export const provisionerSettingsSchema = z.strictObject({
  ...buildChoiceFields("provisioner"),
  pause_before: described(z._default(durationMs(), 0), "How long to wait before it, such as `10s`"),
  timeout: described(z.optional(durationMs()), "How long it may take, such as `1h5m`. Without it, as long as it likes"),
  max_retries: described(z._default(z.int().check(z.minimum(0)), 0), "How often it is tried again after it failed"),
});

export type ProvisionerSettings = z.infer<typeof provisionerSettingsSchema>;
