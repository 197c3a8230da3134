import type { ObjectExpression, TupleExpression } from "../syntax/syntax-tree.ts";
import { objectValue, tupleValue, unknownValue } from "../values/construct.ts";
import { DYNAMIC, type HclValue, UNKNOWN } from "../values/value.ts";
import type { Evaluation } from "./evaluation.ts";
import { keyOf } from "./for-expression.ts";
import { collect, collectBoth } from "./hcl-error.ts";

export function evaluateTuple({ items }: TupleExpression, evaluation: Evaluation): HclValue {
  return tupleValue(collect(items.map((item) => () => evaluation.evaluate(item))));
}

/** Of a key that is there twice, the last value counts: so it is in HCL. */
export function evaluateObject({ items }: ObjectExpression, evaluation: Evaluation): HclValue {
  const found = collect(
    items.map(
      ({ key, value }) =>
        () =>
          collectBoth(
            () => keyOf(key, evaluation),
            () => evaluation.evaluate(value),
          ),
    ),
  );
  const entries: [string, HclValue][] = [];
  for (const [key, value] of found) {
    if (key === UNKNOWN) return unknownValue(DYNAMIC);
    entries.push([key, value]);
  }
  return objectValue(entries);
}
