import type * as z from "zod/mini";

/** A builder, provisioner or post-processor that a template can name, and what may stand in it. */
export interface Component<Config> {
  readonly kind: "builder" | "provisioner" | "post-processor";
  readonly type: string;
  readonly schema: z.ZodMiniObject & z.ZodMiniType<Config>;
  /** Keys that Packer knows here and amibake does not build yet. */
  readonly keysNotYet: readonly string[];
  /** Keys that its siblings have and that can mean nothing here, with why. */
  readonly keysRefused?: Readonly<Record<string, string>>;
}
