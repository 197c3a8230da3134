import * as z from "zod";
import type { Component } from "./component.ts";
import { provisionerText } from "./fields.ts";

/** The keys of a `manifest` post-processor, less those that every post-processor has. */
export const manifestPostProcessorSchema = z.strictObject({
  output: z
    .string()
    .regex(/[^/]$/, "must name a file, not a directory")
    .default("packer-manifest.json")
    .describe("Path of the manifest on this host. A build is added to what is there; see [manifest.md](manifest.md)"),
  strip_path: z.boolean().default(false).describe("Write the names of files without their directories"),
  strip_time: z.boolean().default(false).describe("Leave `build_time` out"),
  custom_data: z.record(z.string(), provisionerText()).default({}).describe("Texts of your own for the manifest"),
});

export type ManifestPostProcessorConfig = z.infer<typeof manifestPostProcessorSchema>;

export const manifestPostProcessor: Component<ManifestPostProcessorConfig> = {
  kind: "post-processor",
  type: "manifest",
  schema: manifestPostProcessorSchema,
  keysNotYet: [],
};
