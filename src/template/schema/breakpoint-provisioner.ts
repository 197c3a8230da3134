import * as z from "zod/mini";
import type { Component } from "./component.ts";
import { described, provisionerText } from "./fields.ts";

/** The keys of a `breakpoint` provisioner, less those that every provisioner has. */
export const breakpointProvisionerSchema = z.strictObject({
  note: described(z.optional(provisionerText()), "What is shown at the pause"),
  disable: described(z._default(z.boolean(), false), "Go on without a pause"),
});

export type BreakpointProvisionerConfig = z.infer<typeof breakpointProvisionerSchema>;

export const breakpointProvisioner: Component<BreakpointProvisionerConfig> = {
  kind: "provisioner",
  type: "breakpoint",
  schema: breakpointProvisionerSchema,
  keysNotYet: [],
};
