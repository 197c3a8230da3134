import type { Problem } from "../base/problems.ts";
import type { SourceLocation } from "../base/source-location.ts";
import type { AmazonChrootConfig } from "./schema/amazon-chroot.ts";
import type { AmazonDirectConfig } from "./schema/amazon-direct.ts";
import type { BreakpointProvisionerConfig } from "./schema/breakpoint-provisioner.ts";
import type { FileProvisionerConfig } from "./schema/file-provisioner.ts";
import type { ManifestPostProcessorConfig } from "./schema/manifest-post-processor.ts";
import type { ShellProvisionerConfig } from "./schema/shell-provisioner.ts";

export type { SourceLocation } from "../base/source-location.ts";

/** What a template says, with every decision made that needs no call to AWS. */
export interface TemplatePlan {
  readonly templatePath: string;
  readonly description: string | undefined;
  readonly builds: readonly BuildPlan[];
  /** Values that must never be printed: `access_key`, `secret_key`, `token` and sensitive variables. */
  readonly secrets: readonly string[];
  /** What is probably not meant, but works. */
  readonly warnings: readonly Problem[];
}

/** One builder of a template with the provisioners and post-processors that apply to it. */
export type BuildPlan = BuilderPlan & {
  /** Unique in the template: the builder's `name`, else its type; in HCL2 `type.name`, or `build.type.name`. */
  readonly name: string;
  /** What scripts and the manifest know it by, as in Packer: in HCL2 the name of its source alone. */
  readonly sourceName: string;
  /** Where the builder stands in the template. */
  readonly location: SourceLocation;
  readonly provisioners: readonly ProvisionerPlan[];
  /** Runs in the image when a provisioner has failed, before anything is removed. */
  readonly errorCleanupProvisioner: ProvisionerPlan | undefined;
  /** Sequences that do not depend on each other; in one, each works on what the one before it leaves. */
  readonly postProcessors: readonly (readonly PostProcessorPlan[])[];
};

export type BuilderPlan =
  | { readonly type: "amazon-chroot"; readonly config: AmazonChrootConfig }
  | { readonly type: "amazon-direct"; readonly config: AmazonDirectConfig };

export type ProvisionerPlan = (
  | { readonly type: "shell"; readonly config: ShellProvisionerConfig }
  | { readonly type: "file"; readonly config: FileProvisionerConfig }
  | { readonly type: "breakpoint"; readonly config: BreakpointProvisionerConfig }
) & {
  readonly location: SourceLocation;
  readonly pauseBeforeMs: number;
  /** No limit if missing. */
  readonly timeoutMs: number | undefined;
  /** Additional tries after the first. */
  readonly retriesMax: number;
};

export interface PostProcessorPlan {
  readonly type: "manifest";
  readonly config: ManifestPostProcessorConfig;
  /** Its `name`, else its type. */
  readonly name: string;
  readonly location: SourceLocation;
}
