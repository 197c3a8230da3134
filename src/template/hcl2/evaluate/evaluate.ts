import type { Expression, LiteralExpression } from "../syntax/syntax-tree.ts";
import { SPLAT_ITEM } from "../syntax/syntax-tree.ts";
import { boolValue, nullValue, numberValue } from "../values/construct.ts";
import { parseRational } from "../values/rational.ts";
import { DYNAMIC, type HclValue } from "../values/value.ts";
import { evaluateCall } from "./call.ts";
import { evaluateObject, evaluateTuple } from "./collections.ts";
import { evaluateConditional } from "./conditional.ts";
import { Evaluation } from "./evaluation.ts";
import { EvaluationBudget } from "./evaluation-budget.ts";
import { evaluateFor } from "./for-expression.ts";
import { HclError, missing } from "./hcl-error.ts";
import { evaluateBinary, evaluateUnary } from "./operators.ts";
import { findVariable, type Scope, variableNames } from "./scope.ts";
import { evaluateSplat } from "./splat.ts";
import { evaluateTemplate } from "./template.ts";
import { evaluateAttribute, evaluateIndex } from "./traversal.ts";

/**
 * The value of an expression. Nothing is changed by it: what is unknown now can be evaluated again when it is known.
 *
 * @throws {HclError} its `all` are all errors that were found.
 */
export function evaluate(expression: Expression, scope: Scope): HclValue {
  const budget = scope.budget ?? new EvaluationBudget();
  return new Evaluation(scope, evaluateNode, budget).evaluate(expression);
}

function evaluateNode(expression: Expression, evaluation: Evaluation): HclValue {
  switch (expression.kind) {
    case "literal":
      return evaluateLiteral(expression);
    case "template":
      return evaluateTemplate(expression, evaluation);
    case "variable":
      return evaluateVariable(expression, evaluation);
    case "attribute":
      return evaluateAttribute(expression, evaluation);
    case "index":
      return evaluateIndex(expression, evaluation);
    case "splat":
      return evaluateSplat(expression, evaluation);
    case "call":
      return evaluateCall(expression, evaluation);
    case "conditional":
      return evaluateConditional(expression, evaluation);
    case "binary":
      return evaluateBinary(expression, evaluation);
    case "unary":
      return evaluateUnary(expression, evaluation);
    case "tuple":
      return evaluateTuple(expression, evaluation);
    case "object":
      return evaluateObject(expression, evaluation);
    case "for":
      return evaluateFor(expression, evaluation);
    case "parentheses":
      return evaluation.evaluate(expression.expression);
  }
}

function evaluateLiteral({ value, range }: LiteralExpression): HclValue {
  if (value === null) return nullValue(DYNAMIC);
  if (typeof value === "boolean") return boolValue(value);
  const number = parseRational(value.number);
  if (number === undefined) throw new HclError(`"${value.number}" is not a number`, range);
  return numberValue(number);
}

function evaluateVariable({ name, range }: Expression & { kind: "variable" }, { scope }: Evaluation): HclValue {
  const value = findVariable(scope, name);
  if (value !== undefined) return value;
  const among = variableNames(scope).filter((candidate) => candidate !== SPLAT_ITEM);
  throw missing(`There is no variable "${name}"`, range, { name, among });
}
