import { nearMiss } from "../../../base/suggest.ts";
import type { AttributeExpression, IndexExpression, SourceRange } from "../syntax/syntax-tree.ts";
import { unknownValue } from "../values/construct.ts";
import { entriesOf, itemsOf, rationalIn, textOf } from "../values/contents.ts";
import { describeType } from "../values/conversion-error.ts";
import { numberText } from "../values/number-text.ts";
import { isWhole } from "../values/rational.ts";
import { DYNAMIC, type HclType, type HclValue, NUMBER, STRING, UNKNOWN } from "../values/value.ts";
import type { Evaluation } from "./evaluation.ts";
import { HclError, missing } from "./hcl-error.ts";

/** `of.name`; `of.0` is `of[0]`. */
export function evaluateAttribute(expression: AttributeExpression, evaluation: Evaluation): HclValue {
  const { name, nameRange } = expression;
  const value = evaluation.evaluate(expression.of);
  if (value.content === null) throw new HclError(`Cannot take "${name}" of null`, nameRange);
  const { type } = value;
  switch (type.kind) {
    case "object":
    case "map":
      return entryOf(value, name, nameRange);
    case "dynamic":
      return unknownValue(DYNAMIC);
    case "list":
    case "tuple":
      if (/^\d+$/.test(name)) return itemAt(value, Number(name), nameRange);
      break;
  }
  const isSequence = type.kind === "list" || type.kind === "tuple";
  throw new HclError(`Cannot take "${name}" of ${describeType(type)}: it has no attributes`, nameRange, {
    hint: isSequence ? `Take one element with "[0]", or "${name}" of all elements with "[*].${name}"` : undefined,
  });
}

/** `of[key]` */
export function evaluateIndex({ of, key, range }: IndexExpression, evaluation: Evaluation): HclValue {
  const value = evaluation.evaluate(of);
  const keyValue = evaluation.evaluate(key);
  if (value.content === null) throw new HclError("Cannot take an element of null", range);
  if (keyValue.content === null) throw new HclError("The key of an element must not be null", key.range);
  const { type } = value;
  switch (type.kind) {
    case "object":
    case "map": {
      const name = evaluation.convert(keyValue, STRING, { what: "The key", range: key.range });
      if (name.content !== UNKNOWN) return entryOf(value, textOf(name), key.range);
      return unknownValue(type.kind === "map" ? type.element : DYNAMIC);
    }
    case "list":
    case "tuple": {
      const index = evaluation.convert(keyValue, NUMBER, { what: "The index", range: key.range });
      if (index.content !== UNKNOWN) return itemAt(value, indexOf(index, key.range), key.range);
      return unknownValue(type.kind === "list" ? type.element : DYNAMIC);
    }
    case "dynamic":
      return unknownValue(DYNAMIC);
    case "set":
      throw new HclError("The elements of a set have no index", range, {
        hint: "Make a list of it first, which is sorted: [for element in the_set : element][0]",
      });
    default:
      throw new HclError(`Cannot take an element of ${describeType(type)}`, range);
  }
}

function entryOf(value: HclValue, name: string, range: SourceRange): HclValue {
  const isObject = value.type.kind === "object";
  if (value.content === UNKNOWN) return unknownEntry(value.type, name, range);
  const entries = entriesOf(value);
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  throw noEntry(isObject ? "object" : "map", range, { name, among: [...entries.keys()] });
}

function unknownEntry(type: HclType, name: string, range: SourceRange): HclValue {
  if (type.kind === "map") return unknownValue(type.element);
  if (type.kind !== "object") return unknownValue(DYNAMIC);
  const attribute = type.attributes.get(name);
  if (attribute !== undefined) return unknownValue(attribute);
  throw noEntry("object", range, { name, among: [...type.attributes.keys()] });
}

const NAMES_SHOWN_MAX = 12;

function noEntry(
  kind: "object" | "map",
  range: SourceRange,
  { name, among }: { name: string; among: readonly string[] },
): HclError {
  const message = `The ${kind} has no ${kind === "object" ? "attribute" : "key"} "${name}"`;
  if (nearMiss(name, among) !== undefined) return missing(message, range, { name, among });
  const shown = among.slice(0, NAMES_SHOWN_MAX).map((other) => `"${other}"`);
  const more = among.length > shown.length ? ", …" : "";
  return new HclError(message, range, {
    hint: shown.length === 0 ? "It is empty" : `It has ${shown.join(", ")}${more}`,
  });
}

function indexOf(index: HclValue, range: SourceRange): number {
  const number = rationalIn(index);
  if (isWhole(number) && number.numerator >= 0n) return Number(number.numerator);
  throw new HclError(`An index must be a whole number from 0 on, not ${numberText(number)}`, range);
}

function itemAt(value: HclValue, index: number, range: SourceRange): HclValue {
  if (value.content === UNKNOWN) return unknownItem(value.type, index);
  const items = itemsOf(value);
  const item = items[index];
  if (item !== undefined) return item;
  const count = items.length === 1 ? "1 element" : `${items.length} elements`;
  throw new HclError(`There is no element ${index}: the ${value.type.kind} has ${count}`, range, {
    hint: items.length > 0 && index === items.length ? "The first element is 0" : undefined,
  });
}

function unknownItem(type: HclType, index: number): HclValue {
  if (type.kind === "tuple") return unknownValue(type.elements[index] ?? DYNAMIC);
  return unknownValue("element" in type ? type.element : DYNAMIC);
}
