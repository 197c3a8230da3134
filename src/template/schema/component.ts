import type * as z from "zod";

/** A builder or provisioner that a template can name, and what may stand in it. */
export interface Component<Config> {
  readonly kind: "builder" | "provisioner";
  readonly type: string;
  readonly schema: z.ZodObject & z.ZodType<Config>;
  /** Keys that Packer knows here and amibake does not build yet. */
  readonly keysNotYet: readonly string[];
}
