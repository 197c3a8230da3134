import type { ConditionalExpression, Expression } from "../syntax/syntax-tree.ts";
import { unknownValue } from "../values/construct.ts";
import { typeName } from "../values/types.ts";
import { unify } from "../values/unify.ts";
import { DYNAMIC, type HclType, type HclValue, UNKNOWN } from "../values/value.ts";
import type { Evaluation } from "./evaluation.ts";
import { HclError } from "./hcl-error.ts";
import { conditionOf } from "./template.ts";

/** The chosen value, as the type that both can be. An error in the other one does not count. */
export function evaluateConditional(expression: ConditionalExpression, evaluation: Evaluation): HclValue {
  const condition = conditionOf(expression.condition, evaluation);
  if (condition === UNKNOWN) {
    const values = [evaluation.evaluate(expression.then), evaluation.evaluate(expression.else)] as const;
    return unknownValue(commonType(values, expression));
  }
  const [chosen, other] = condition ? [expression.then, expression.else] : [expression.else, expression.then];
  const value = evaluation.evaluate(chosen);
  const otherValue = valueOrUnknown(other, evaluation);
  const type = commonType(condition ? [value, otherValue] : [otherValue, value], expression);
  return evaluation.convert(value, type, { what: "The value", range: chosen.range });
}

function valueOrUnknown(expression: Expression, evaluation: Evaluation): HclValue {
  try {
    return evaluation.evaluate(expression);
  } catch (error) {
    if (error instanceof HclError && !error.isLimit) return unknownValue(DYNAMIC);
    throw error;
  }
}

function commonType(values: readonly [HclValue, HclValue], { range }: ConditionalExpression): HclType {
  const types = values.map(({ type }) => type);
  const common = unify(types);
  if (common !== undefined) return common;
  const [then, otherwise] = types.map(typeName);
  throw new HclError(`Both results of a condition must be of one type: they are ${then} and ${otherwise}`, range, {
    hint: "Convert one of them, or write both alike",
  });
}
