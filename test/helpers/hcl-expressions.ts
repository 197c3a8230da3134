import { join } from "node:path";
import { ProblemList } from "../../src/base/problems.ts";
import { NO_FOREIGN_VALUES } from "../../src/template/foreign-values.ts";
import { evaluate } from "../../src/template/hcl2/evaluate/evaluate.ts";
import { EvaluationBudget } from "../../src/template/hcl2/evaluate/evaluation-budget.ts";
import { createHclFunctions, type HclFunctionContext } from "../../src/template/hcl2/functions/create-functions.ts";
import { parseHclExpression } from "../../src/template/hcl2/syntax/parse-hcl.ts";
import type { Expression } from "../../src/template/hcl2/syntax/syntax-tree.ts";
import type { HclValue } from "../../src/template/hcl2/values/value.ts";

export const FUNCTION_CONTEXT: HclFunctionContext = {
  startTime: new Date("2024-05-06T07:08:09.5Z"),
  baseDirectory: join(import.meta.dirname, "../fixtures"),
  workingDirectory: "/somewhere",
  homeDirectory: "/home/somebody",
  foreignValues: NO_FOREIGN_VALUES,
};

export function parseText(text: string): Expression {
  const problems = new ProblemList();
  const expression = parseHclExpression("expression", text, problems);
  if (expression === undefined) throw new Error(problems.sorted([])[0]?.message);
  return expression;
}

/** The value of an expression of HCL2. @throws {HclError}, or an error for what is no expression. */
export function evaluateText(
  text: string,
  {
    context = {},
    variables = new Map(),
    budget = new EvaluationBudget(),
  }: {
    context?: Partial<HclFunctionContext>;
    variables?: ReadonlyMap<string, HclValue>;
    budget?: EvaluationBudget;
  } = {},
): HclValue {
  const functions = createHclFunctions({ ...FUNCTION_CONTEXT, ...context, budget });
  return evaluate(parseText(text), { variables, functions, budget });
}
