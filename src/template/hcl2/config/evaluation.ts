import type { ProblemList } from "../../../base/problems.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { HclError } from "../evaluate/hcl-error.ts";
import type { Scope } from "../evaluate/scope.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
import type { HclValue } from "../values/value.ts";
import { explainReference } from "./explain-reference.ts";
import { usesSensitive, withoutValues } from "./sensitive-names.ts";

/** Where expressions are evaluated. */
export interface Evaluation {
  readonly scope: Scope;
  readonly problems: ProblemList;
}

/** Whether a value that is unknown is a mistake of its own: the data sources have answered, and nothing else is wrong. */
export function mustBeKnown({ scope, problems }: Evaluation): boolean {
  return scope.hasData === true && problems.isEmpty;
}

/** The value of an expression, or `undefined` if it has none, which has been told. */
export function tryEvaluate(expression: Expression, { scope, problems }: Evaluation): HclValue | undefined {
  // Each expression of the template would fail for that: it is told of one.
  if (scope.budget?.isUsedUp) return undefined;
  try {
    return evaluate(expression, scope);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    const isSensitive = usesSensitive(expression, scope);
    for (const one of error.all) {
      const explained = explainReference(one, expression, scope);
      const { message, hint } = explained ?? one;
      const shown = (text: string) => (isSensitive && explained === undefined ? withoutValues(text, scope) : text);
      problems.add(shown(message), { location: one.range.start, end: one.range.end, hint: hint && shown(hint) });
    }
    return undefined;
  }
}
