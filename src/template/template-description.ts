// What a template declares, for `amibake inspect`. Nothing needs to have a value, nor to be known to amibake: builders of
// others can be inspected too.
//
// The readers of both languages give one: `describeJsonTemplate` of JSON, which evaluates nothing, and `describeHclTemplate`
// of HCL2, with every variable and local as far as it can be evaluated (unknown where a variable without a value is used).
import type { HclValue } from "./hcl2/values/value.ts";

export type TemplateDescription = JsonTemplateDescription | HclTemplateDescription;

export interface JsonTemplateDescription {
  readonly language: "json";
  readonly description: string | undefined;
  /** In the order of the file. */
  readonly variables: readonly DescribedVariable[];
  readonly builders: readonly { readonly name: string; readonly type: string }[];
  readonly provisioners: readonly { readonly type: string }[];
  /** Values that must never be printed. */
  readonly secrets: readonly string[];
}

export interface DescribedVariable {
  readonly name: string;
  /** As written, not evaluated. Missing for a variable that must be given a value. */
  readonly default: string | undefined;
  readonly isSensitive: boolean;
}

export interface HclTemplateDescription {
  readonly language: "hcl2";
  /** Sorted by name, as locals are. */
  readonly variables: readonly DescribedValue[];
  readonly locals: readonly DescribedValue[];
  /** In the order of the files. */
  readonly builds: readonly DescribedBuild[];
  readonly secrets: readonly string[];
}

export interface DescribedValue {
  readonly name: string;
  /** Unknown if nothing has set it. */
  readonly value: HclValue;
  readonly isSensitive: boolean;
}

/** One `build` block. */
export interface DescribedBuild {
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** `amazon-chroot.web`: type and name of each source. */
  readonly sources: readonly string[];
  readonly provisioners: readonly DescribedStep[];
  /** Sequences: a `post-processor` that stands alone is one of its own. */
  readonly postProcessors: readonly (readonly DescribedStep[])[];
}

export interface DescribedStep {
  readonly type: string;
  readonly name: string | undefined;
}
