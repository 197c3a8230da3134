// Where a part of a value stands, as far as it is written out.
import type { JsonValue } from "../../../base/json/json-value.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
import type { ValuePath } from "../values/conversion-error.ts";
import { literalText } from "./literal-text.ts";

/** @returns the nearest part around it that is there. */
export function partOfExpression(expression: Expression, path: ValuePath): Expression {
  let part = expression;
  for (const step of path) {
    while (part.kind === "parentheses") part = part.expression;
    const inner =
      part.kind === "tuple"
        ? part.items[Number(step)]
        : part.kind === "object"
          ? part.items.findLast(({ key }) => literalText(key) === step)?.value
          : undefined;
    if (inner === undefined) return part;
    part = inner;
  }
  return part;
}

/** @returns the nearest part around it that is there. */
export function partOfJson(value: JsonValue, path: ValuePath): JsonValue {
  let part = value;
  for (const step of path) {
    const inner =
      part.kind === "array"
        ? part.items[Number(step)]
        : part.kind === "object"
          ? part.members.findLast(({ key }) => key === step)?.value
          : undefined;
    if (inner === undefined) return part;
    part = inner;
  }
  return part;
}
