// The content of a value whose kind is known. Asking for another kind is a mistake of ours.
import type { Rational } from "./rational.ts";
import { type HclValue, UNKNOWN } from "./value.ts";

// It is measured together with the size.
export { isWhollyKnown } from "./value-size.ts";

/** Whether the value itself is known. What is in it need not be. */
export function isKnown(value: HclValue): boolean {
  return value.content !== UNKNOWN;
}

/** @param value a known string, not null. */
export function textOf({ content }: HclValue): string {
  if (typeof content !== "string") throw new TypeError("The value is no string");
  return content;
}

/** @param value a known number, not null. */
export function rationalIn({ content }: HclValue): Rational {
  if (typeof content === "object" && content !== null && "numerator" in content) return content;
  throw new TypeError("The value is no number");
}

/** @param value a known bool, not null. */
export function isTrue({ content }: HclValue): boolean {
  if (typeof content !== "boolean") throw new TypeError("The value is no bool");
  return content;
}

/** @param value a known list, set or tuple, not null. */
export function itemsOf({ content }: HclValue): readonly HclValue[] {
  if (!Array.isArray(content)) throw new TypeError("The value has no items");
  return content;
}

/** @param value a known map or object, not null. */
export function entriesOf({ content }: HclValue): ReadonlyMap<string, HclValue> {
  if (!(content instanceof Map)) throw new TypeError("The value has no entries");
  return content;
}

/** Elements of a list, tuple or set, values of a map or object; of anything else none. */
export function partsOf({ content }: HclValue): readonly HclValue[] {
  if (Array.isArray(content)) return content;
  return content instanceof Map ? [...content.values()] : [];
}
