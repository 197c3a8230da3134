import * as z from "zod";
import { buildChoiceFields } from "./provisioner-settings.ts";

/** The keys that every post-processor has. */
export const postProcessorSettingsSchema = z.strictObject({
  name: z.string().optional().describe("Name for `-except` and for messages. Without it, the type"),
  ...buildChoiceFields("post-processor"),
  keep_input_artifact: z
    .boolean()
    .optional()
    .describe("Accepted for Packer's sake: no post-processor here removes the image, so it is kept"),
});
