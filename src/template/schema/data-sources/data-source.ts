import type * as z from "zod/mini";
import type { HclType } from "../../hcl2/values/value.ts";

/** A data source that an HCL2 template can name: what it is asked, and what it answers. */
export interface DataSource<Config> {
  readonly type: string;
  readonly schema: z.ZodMiniObject & z.ZodMiniType<Config>;
  /** What `data.type.name` is: an object with these. */
  readonly outputs: Readonly<Record<string, HclType>>;
  /** Keys that Packer knows here and amibake does not. */
  readonly keysNotYet: readonly string[];
}
