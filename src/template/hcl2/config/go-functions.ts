import { type SecretWatch, watchSecrets, withDerivedSecrets } from "../../go-template/derived-secrets.ts";
import { ABSENT_FUNCTIONS, createFunctions, type FunctionContext } from "../../go-template/functions.ts";
import type { TemplateFunction } from "../../go-template/template-function.ts";
import { TextBudget, withBudget } from "../../go-template/text-budget.ts";

/** What the texts of HCL2 may call in `{{ }}`. */
export interface GoFunctions {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly absentFunctions: ReadonlyMap<string, string>;
  readonly budget: TextBudget;
  readonly secrets: SecretWatch;
}

/** What HCL2 has expressions of its own for. */
const OF_JSON: readonly (readonly [string, string])[] = [
  ["user", "is for JSON templates: in HCL2, write ${var.name}"],
  ["env", 'is for JSON templates: in HCL2, write default = env("NAME") in a variable, and ${var.name} here'],
  ...["consul_key", "vault", "aws_secretsmanager", "aws_secretsmanager_raw"].map(
    (name) => [name, `is for JSON templates: in HCL2, write \${${name}(…)}`] as const,
  ),
];

/**
 * The functions of JSON templates, but for those that ask for its variables: HCL2 has expressions of its own for them.
 *
 * @param context.secrets gets what they make of a secret.
 */
export function createGoFunctions({
  secrets,
  ...context
}: Omit<FunctionContext, "userVariable"> & { readonly secrets: Set<string> }): GoFunctions {
  const budget = new TextBudget();
  const functions = createFunctions({ ...context, userVariable: () => "" });
  functions.delete("user");
  const watch = watchSecrets(secrets);
  return {
    functions: withDerivedSecrets(withBudget(functions, budget), watch),
    absentFunctions: new Map([...ABSENT_FUNCTIONS, ...OF_JSON]),
    budget,
    secrets: watch,
  };
}
