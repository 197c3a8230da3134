import * as z from "zod";
import type { Component } from "./component.ts";
import { provisionerText } from "./fields.ts";

/** The keys of a `breakpoint` provisioner, less those that every provisioner has. */
export const breakpointProvisionerSchema = z.strictObject({
  note: provisionerText().optional().describe("What is shown at the pause"),
  disable: z.boolean().default(false).describe("Go on without a pause"),
});

export type BreakpointProvisionerConfig = z.infer<typeof breakpointProvisionerSchema>;

export const breakpointProvisioner: Component<BreakpointProvisionerConfig> = {
  kind: "provisioner",
  type: "breakpoint",
  schema: breakpointProvisionerSchema,
  keysNotYet: [],
};
