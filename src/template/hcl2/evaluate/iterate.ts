import type { SourceRange } from "../syntax/syntax-tree.ts";
import { numberValue, stringValue } from "../values/construct.ts";
import { entriesOf, itemsOf } from "../values/contents.ts";
import { describeValue } from "../values/conversion-error.ts";
import { type HclValue, UNKNOWN } from "../values/value.ts";
import { HclError } from "./hcl-error.ts";

export interface Element {
  /** An index from 0, a key, or of a set the element itself. */
  readonly key: HclValue;
  readonly value: HclValue;
}

/**
 * What a `for` goes through, in its order: by index, or sorted by key.
 *
 * @returns `UNKNOWN` if that is not known.
 */
export function elementsOf(collection: HclValue, range: SourceRange): readonly Element[] | typeof UNKNOWN {
  if (collection.content === null) throw new HclError('A "for" cannot go through null', range);
  const { kind } = collection.type;
  if (kind === "string" || kind === "number" || kind === "bool") {
    const hint = "Give it a list, a set, a map or an object";
    throw new HclError(`A "for" cannot go through ${describeValue(collection)}`, range, { hint });
  }
  if (collection.content === UNKNOWN) return UNKNOWN;
  if (kind === "set") return itemsOf(collection).map((value) => ({ key: value, value }));
  if (kind === "map" || kind === "object") {
    return [...entriesOf(collection)].map(([key, value]) => ({ key: stringValue(key), value }));
  }
  return itemsOf(collection).map((value, index) => ({ key: numberValue(index), value }));
}

/** What the names of a `for` stand for. */
export function loopVariables(
  { keyName, valueName }: { readonly keyName: string | undefined; readonly valueName: string },
  { key, value }: Element,
): (readonly [string, HclValue])[] {
  // The value's name last: where both have one name, it is the value.
  return keyName === undefined
    ? [[valueName, value]]
    : [
        [keyName, key],
        [valueName, value],
      ];
}
