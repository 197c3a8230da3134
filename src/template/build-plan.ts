import type { AmazonChrootConfig } from "./schema/amazon-chroot.ts";
import type { FileProvisionerConfig } from "./schema/file-provisioner.ts";
import type { ShellProvisionerConfig } from "./schema/shell-provisioner.ts";
import type { SourceLocation } from "./source-location.ts";
import type { TemplateProblem } from "./template-error.ts";

export type { SourceLocation } from "./source-location.ts";

/** What a template says, with every decision made that needs no call to AWS. */
export interface TemplatePlan {
  readonly templatePath: string;
  readonly description: string | undefined;
  readonly builds: readonly BuildPlan[];
  /** Values that must never be printed: `secret_key`, `token` and sensitive variables. */
  readonly secrets: readonly string[];
  /** What is probably not meant, but works. */
  readonly warnings: readonly TemplateProblem[];
}

/** One builder of a template with the provisioners that apply to it. */
export interface BuildPlan {
  /** Unique in the template: the builder's `name`, else its type. */
  readonly name: string;
  readonly type: "amazon-chroot";
  readonly config: AmazonChrootConfig;
  /** Where the builder stands in the template. */
  readonly location: SourceLocation;
  readonly provisioners: readonly ProvisionerPlan[];
}

export type ProvisionerPlan = (
  | { readonly type: "shell"; readonly config: ShellProvisionerConfig }
  | { readonly type: "file"; readonly config: FileProvisionerConfig }
) & {
  readonly location: SourceLocation;
  readonly pauseBeforeMs: number;
  /** No limit if missing. */
  readonly timeoutMs: number | undefined;
  /** Additional tries after the first. */
  readonly retriesMax: number;
};
