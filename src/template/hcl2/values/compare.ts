import { entriesOf, isTrue, itemsOf, rationalIn, textOf } from "./contents.ts";
import { compareRationals } from "./rational.ts";
import { type HclValue, UNKNOWN } from "./value.ts";

/** By code point, which is the order of the bytes in UTF-8: so Go sorts. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let offset = 0; offset < length; offset++) {
    const left = a.charCodeAt(offset);
    const right = b.charCodeAt(offset);
    if (left !== right) return byCodePoint(left) - byCodePoint(right);
  }
  return a.length - b.length;
}

/** Halves of a pair, 0xd800 to 0xdfff, stand for code points above all others. */
function byCodePoint(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit < 0xe000 ? codeUnit + 0x10000 : codeUnit;
}

/**
 * The order of elements in a set: numbers and texts ascend, false is before true, null is last. 0 for the same value.
 *
 * @param a @param b of the same type, as elements of a set are, and known.
 */
export function compareValues(a: HclValue, b: HclValue): number {
  if (a === b) return 0;
  if (a.content === UNKNOWN || b.content === UNKNOWN) throw new TypeError("Cannot order what is not known");
  if (a.content === null || b.content === null) return Number(a.content === null) - Number(b.content === null);
  switch (a.type.kind) {
    case "string":
      return compareText(textOf(a), textOf(b));
    case "number":
      return compareRationals(rationalIn(a), rationalIn(b));
    case "bool":
      return Number(isTrue(a)) - Number(isTrue(b));
    case "list":
    case "set":
    case "tuple":
      return compareItems(itemsOf(a), itemsOf(b));
    case "map":
    case "object":
      return compareEntries(entriesOf(a), entriesOf(b));
    case "dynamic":
      throw new TypeError("No known value but null is of any type");
  }
}

function compareItems(a: readonly HclValue[], b: readonly HclValue[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    const order = compareKinds(left, right);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareEntries(a: ReadonlyMap<string, HclValue>, b: ReadonlyMap<string, HclValue>): number {
  const right = [...b];
  for (const [index, [key, value]] of [...a].entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareText(key, other[0]) || compareKinds(value, other[1]);
    if (order !== 0) return order;
  }
  return a.size - b.size;
}

/** Parts of a tuple or an object in a set of any type can be of different kinds. */
function compareKinds(a: HclValue, b: HclValue): number {
  if (a.content === null || b.content === null || a.type.kind === b.type.kind) return compareValues(a, b);
  return a.type.kind < b.type.kind ? -1 : 1;
}
