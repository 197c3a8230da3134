import type { Expression, ForExpression } from "../syntax/syntax-tree.ts";
import { objectValue, tupleValue, unknownValue } from "../values/construct.ts";
import { textOf } from "../values/contents.ts";
import { DYNAMIC, type HclValue, STRING, UNKNOWN } from "../values/value.ts";
import type { Evaluation } from "./evaluation.ts";
import { HclError } from "./hcl-error.ts";
import { elementsOf, loopVariables } from "./iterate.ts";
import { conditionOf } from "./template.ts";

/** A tuple, or an object if there is a key; unknown if what is in it is not known. */
export function evaluateFor(expression: ForExpression, evaluation: Evaluation): HclValue {
  const collection = evaluation.evaluate(expression.collection);
  const elements = elementsOf(collection, expression.collection.range);
  if (elements === UNKNOWN) return unknownValue(DYNAMIC);
  const items: HclValue[] = [];
  const groups = new Map<string, HclValue[]>();
  let isKnown = true;
  for (const element of elements) {
    const inner = evaluation.with(...loopVariables(expression, element));
    const isChosen = expression.condition === undefined || conditionOf(expression.condition, inner);
    if (isChosen === false) continue;
    const key = expression.key === undefined ? undefined : keyOf(expression.key, inner);
    const value = inner.evaluate(expression.value);
    if (isChosen === UNKNOWN || key === UNKNOWN) isKnown = false;
    else if (key === undefined) items.push(value);
    else addToGroup(value, { key, groups, expression });
  }
  if (!isKnown) return unknownValue(DYNAMIC);
  if (expression.key === undefined) return tupleValue(items);
  return objectValue(
    [...groups].map(([key, group]) => [key, expression.isGrouping ? tupleValue(group) : (group[0] as HclValue)]),
  );
}

interface Group {
  readonly key: string;
  readonly groups: Map<string, HclValue[]>;
  readonly expression: ForExpression;
}

function addToGroup(value: HclValue, { key, groups, expression }: Group): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else if (expression.isGrouping) group.push(value);
  else throw duplicateKey(key, expression.key ?? expression);
}

/** The key of an entry. */
export function keyOf(expression: Expression, evaluation: Evaluation): string | typeof UNKNOWN {
  const { range } = expression;
  const value = evaluation.evaluate(expression);
  if (value.content === null) throw new HclError("A key must not be null", range);
  const converted = evaluation.convert(value, STRING, { what: "A key", range });
  return converted.content === UNKNOWN ? UNKNOWN : textOf(converted);
}

function duplicateKey(key: string, { range }: Pick<Expression, "range">): HclError {
  return new HclError(`Two elements have the key ${JSON.stringify(key)}`, range, {
    hint: 'Write "..." after the value to have a list of all values of a key',
  });
}
