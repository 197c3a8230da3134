import type { SecretWatch } from "../go-template/derived-secrets.ts";
import { ABSENT_FUNCTIONS, createBuildFunctions } from "../go-template/functions.ts";
import type { TemplateFunction } from "../go-template/template-function.ts";
import { type TextBudget, withBudget } from "../go-template/text-budget.ts";
import type { ConformContext } from "./conform.ts";

export interface BuildScopeOptions {
  readonly startTime: Date;
  /** Those that every text may call. */
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly absentFunctions?: ReadonlyMap<string, string>;
  readonly budget: TextBudget;
  readonly secrets?: SecretWatch | undefined;
}

/** What the texts of one builder and its provisioners may use in `{{ }}`. */
export function buildScope(
  build: { readonly name: string; readonly type: string },
  { functions, absentFunctions = ABSENT_FUNCTIONS, startTime, budget, secrets }: BuildScopeOptions,
): ConformContext["scope"] {
  return {
    functions: new Map([...functions, ...withBudget(createBuildFunctions(build), budget)]),
    absentFunctions,
    budget,
    secrets,
    // The old name of {{timestamp}}: when the plan is made, the image's name must be known.
    known: { CreateTime: String(Math.floor(startTime.getTime() / 1000)) },
  };
}
