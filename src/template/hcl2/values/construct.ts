import { compareText, compareValues } from "./compare.ts";
import { isWhollyKnown } from "./contents.ts";
import { type Rational, rationalOf } from "./rational.ts";
import { BOOL, type HclType, type HclValue, NUMBER, STRING, UNKNOWN } from "./value.ts";
import { withinLimits } from "./value-size.ts";

// Every value is made by one of these, which keep the rules of `HclValue` and the limits of size and depth. They throw
// ValueLimitError.

/** In Unicode's composed form (NFC), as cty has it: equal texts are then the same characters. */
export function stringValue(text: string): HclValue {
  return withinLimits({ type: STRING, content: text.normalize("NFC") });
}

export function numberValue(number: number | bigint | Rational): HclValue {
  return { type: NUMBER, content: typeof number === "object" ? number : rationalOf(number) };
}

export function boolValue(isTrue: boolean): HclValue {
  return { type: BOOL, content: isTrue };
}

/** @param items all of the element type: `convert` sees to that. */
export function listValue(element: HclType, items: readonly HclValue[]): HclValue {
  return withinLimits({ type: { kind: "list", element }, content: items });
}

/**
 * Sorts the items and leaves out the same again.
 *
 * @returns an unknown set if something in it is unknown: it could be the same as another element.
 */
export function setValue(element: HclType, items: readonly HclValue[]): HclValue {
  const type: HclType = { kind: "set", element };
  if (!items.every(isWhollyKnown)) return unknownValue(type);
  const sorted = items.toSorted(compareValues);
  const distinct = sorted.filter((item, index) => {
    const previous = sorted[index - 1];
    return previous === undefined || compareValues(previous, item) !== 0;
  });
  return withinLimits({ type, content: distinct });
}

export function mapValue(element: HclType, entries: Iterable<readonly [string, HclValue]>): HclValue {
  return withinLimits({ type: { kind: "map", element }, content: sortedEntries(entries) });
}

export function tupleValue(items: readonly HclValue[]): HclValue {
  return withinLimits({ type: { kind: "tuple", elements: items.map(({ type }) => type) }, content: items });
}

export function objectValue(entries: Iterable<readonly [string, HclValue]>): HclValue {
  const content = sortedEntries(entries);
  const attributes = new Map([...content].map(([name, { type }]) => [name, type]));
  return withinLimits({ type: { kind: "object", attributes }, content });
}

export function nullValue(type: HclType): HclValue {
  return { type, content: null };
}

export function unknownValue(type: HclType): HclValue {
  return { type, content: UNKNOWN };
}

function sortedEntries(entries: Iterable<readonly [string, HclValue]>): ReadonlyMap<string, HclValue> {
  const normalized = new Map([...entries].map(([key, value]) => [key.normalize("NFC"), value]));
  return new Map([...normalized].sort(([a], [b]) => compareText(a, b)));
}
