import { z } from "zod";
import type { Deferred } from "../deferred.ts";

const deferred = z.custom<Deferred>();

/** The keys of a `file` provisioner, less those that every provisioner has. */
export const fileProvisionerSchema = z.strictObject({
  source: deferred.optional(),
  sources: z.array(deferred).default([]),
  content: deferred.optional(),
  destination: deferred,
  direction: z.enum(["upload", "download"]).default("upload"),
  generated: z.boolean().default(false),
});

export type FileProvisionerConfig = z.infer<typeof fileProvisionerSchema>;
