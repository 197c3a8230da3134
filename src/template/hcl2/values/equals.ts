import { boolValue, unknownValue } from "./construct.ts";
import { entriesOf, itemsOf, rationalIn } from "./contents.ts";
import { isSameType } from "./types.ts";
import { BOOL, type HclValue, UNKNOWN } from "./value.ts";

/**
 * `a == b`. Values of different types differ: nothing is converted; null is null whatever its type.
 *
 * @returns a bool, unknown if that depends on what is not known.
 */
export function equals(a: HclValue, b: HclValue): HclValue {
  const answer = isEqual(a, b);
  return answer === UNKNOWN ? unknownValue(BOOL) : boolValue(answer);
}

type Answer = boolean | typeof UNKNOWN;

function isEqual(a: HclValue, b: HclValue): Answer {
  if (a.content === UNKNOWN || b.content === UNKNOWN) return isUnknownEqual(a, b);
  if (a.content === null || b.content === null) return a.content === b.content;
  if (a.type.kind !== b.type.kind) return false;
  if (isCollection(a) && !isSameType(a.type, b.type)) return false;
  switch (a.type.kind) {
    case "list":
    case "set":
    case "tuple":
      return allEqual(itemsOf(a), itemsOf(b));
    case "map":
    case "object":
      return entriesEqual(entriesOf(a), entriesOf(b));
    case "number": {
      const [left, right] = [rationalIn(a), rationalIn(b)];
      return left.numerator === right.numerator && left.denominator === right.denominator;
    }
    default:
      return a.content === b.content;
  }
}

function isUnknownEqual(a: HclValue, b: HclValue): Answer {
  const isAnyNull = a.content === null || b.content === null;
  const isAnyDynamic = a.type.kind === "dynamic" || b.type.kind === "dynamic";
  return isAnyNull || isAnyDynamic || isSameType(a.type, b.type) ? UNKNOWN : false;
}

function isCollection({ type }: HclValue): boolean {
  return type.kind === "list" || type.kind === "set" || type.kind === "map";
}

function allEqual(a: readonly HclValue[], b: readonly HclValue[]): Answer {
  if (a.length !== b.length) return false;
  return every(a.map((item, index) => [item, b[index]]));
}

function entriesEqual(a: ReadonlyMap<string, HclValue>, b: ReadonlyMap<string, HclValue>): Answer {
  if (a.size !== b.size) return false;
  return every([...a].map(([key, value]) => [value, b.get(key)]));
}

function every(pairs: readonly (readonly [HclValue, HclValue | undefined])[]): Answer {
  let answer: Answer = true;
  for (const [left, right] of pairs) {
    const isPairEqual = right === undefined ? false : isEqual(left, right);
    if (isPairEqual === false) return false;
    if (isPairEqual === UNKNOWN) answer = UNKNOWN;
  }
  return answer;
}
