import type { SplatExpression } from "../syntax/syntax-tree.ts";
import { SPLAT_ITEM } from "../syntax/syntax-tree.ts";
import { listValue, tupleValue, unknownValue } from "../values/construct.ts";
import { itemsOf } from "../values/contents.ts";
import { isSameType } from "../values/types.ts";
import { DYNAMIC, type HclValue, UNKNOWN } from "../values/value.ts";
import type { Evaluation } from "./evaluation.ts";
import { HclError } from "./hcl-error.ts";

/** `of[*].…`: what is no list is taken for a list of one, and null for an empty one. */
export function evaluateSplat({ of, each, range }: SplatExpression, evaluation: Evaluation): HclValue {
  const value = evaluation.evaluate(of);
  const evaluateEach = (item: HclValue): HclValue => evaluation.with([SPLAT_ITEM, item]).evaluate(each);
  const { type } = value;
  switch (type.kind) {
    case "tuple":
      if (value.content === UNKNOWN)
        return unknownValue({
          kind: "tuple",
          elements: type.elements.map((element) => evaluateEach(unknownValue(element)).type),
        });
      return tupleValue(itemsOf(notNull(value, range)).map(evaluateEach));
    case "list":
    case "set":
      if (value.content === UNKNOWN)
        return unknownValue({ kind: "list", element: evaluateEach(unknownValue(type.element)).type });
      return likeList(itemsOf(notNull(value, range)).map(evaluateEach));
    default:
      if (value.content === UNKNOWN) return unknownValue(DYNAMIC);
      return tupleValue(value.content === null ? [] : [evaluateEach(value)]);
  }
}

function notNull(value: HclValue, range: SplatExpression["range"]): HclValue {
  if (value.content !== null) return value;
  throw new HclError(`Cannot take the elements of null, which should be a ${value.type.kind} here`, range);
}

/** What comes of a list is a list again, if it can be. */
function likeList(items: readonly HclValue[]): HclValue {
  const element = items[0]?.type ?? DYNAMIC;
  return items.every(({ type }) => isSameType(type, element)) ? listValue(element, items) : tupleValue(items);
}
