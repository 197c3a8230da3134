import * as z from "zod/mini";
import type { Component } from "./component.ts";
import { described, provisionerText } from "./fields.ts";

/** The keys of a `manifest` post-processor, less those that every post-processor has. */
export const manifestPostProcessorSchema = z.strictObject({
  output: described(
    z._default(z.string().check(z.regex(/[^/]$/, "must name a file, not a directory")), "packer-manifest.json"),
    "Path of the manifest on this host. A build is added to what is there; see [manifest.md](manifest.md)",
  ),
  strip_path: described(z._default(z.boolean(), false), "Write the names of files without their directories"),
  strip_time: described(z._default(z.boolean(), false), "Leave `build_time` out"),
  custom_data: described(z._default(z.record(z.string(), provisionerText()), {}), "Texts of your own for the manifest"),
});

export type ManifestPostProcessorConfig = z.infer<typeof manifestPostProcessorSchema>;

export const manifestPostProcessor: Component<ManifestPostProcessorConfig> = {
  kind: "post-processor",
  type: "manifest",
  schema: manifestPostProcessorSchema,
  keysNotYet: [],
};
