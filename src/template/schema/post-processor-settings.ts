import * as z from "zod/mini";
import { described } from "./fields.ts";
import { buildChoiceFields } from "./provisioner-settings.ts";

/** The keys that every post-processor has. */
export const postProcessorSettingsSchema = z.strictObject({
  name: described(z.optional(z.string()), "Name for `-except` and for messages. Without it, the type"),
  ...buildChoiceFields("post-processor"),
  keep_input_artifact: described(
    z.optional(z.boolean()),
    "Accepted for Packer's sake: no post-processor here removes the image, so it is kept",
  ),
});
