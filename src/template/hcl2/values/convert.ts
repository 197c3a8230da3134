import { nearMiss } from "../../../base/suggest.ts";
import { canConvert } from "./can-convert.ts";
import {
  boolValue,
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "./construct.ts";
import { entriesOf, itemsOf, rationalIn } from "./contents.ts";
import { ConversionError, describeType, describeValue, type ValuePath } from "./conversion-error.ts";
import { numberText } from "./number-text.ts";
import { parseRational } from "./rational.ts";
import { hasDynamic, hasOptional, isSameType, withoutOptional } from "./types.ts";
import { unify } from "./unify.ts";
import { type HclType, type HclValue, UNKNOWN } from "./value.ts";

type CollectionType = Extract<HclType, { readonly element: HclType }>;

/**
 * The value as one of the wanted type, by cty's rules: numbers and bools become strings and strings such numbers and bools as
 * they say, tuples become lists and sets, objects maps, and the other way where it fits. `any` in the type becomes what is there.
 *
 * @throws {ConversionError}
 */
export function convert(value: HclValue, type: HclType): HclValue {
  return convertAt(value, type, []);
}

function convertAt(value: HclValue, type: HclType, path: ValuePath): HclValue {
  if (type.kind === "dynamic") return value;
  if (isSameType(value.type, type) && !hasOptional(type) && !hasDynamic(type)) return value;
  if (value.content === null || value.content === UNKNOWN) {
    if (!canConvert(value.type, type)) throw mismatch(value, type, path);
    const wanted = withoutOptional(type);
    return value.content === null ? nullValue(wanted) : unknownValue(wanted);
  }
  switch (type.kind) {
    case "string":
      return toText(value, type, path);
    case "number":
      return toNumber(value, type, path);
    case "bool":
      return toBool(value, type, path);
    case "list":
    case "set":
      return toCollection(value, type, path);
    case "map":
      return toMap(value, type, path);
    case "tuple":
      return toTuple(value, type, path);
    case "object":
      return toObject(value, type, path);
  }
}

function toText(value: HclValue, type: HclType, path: ValuePath): HclValue {
  if (value.type.kind === "number") return stringValue(numberText(rationalIn(value)));
  if (value.type.kind === "bool") return stringValue(String(value.content));
  throw mismatch(value, type, path);
}

function toNumber(value: HclValue, type: HclType, path: ValuePath): HclValue {
  const number = typeof value.content === "string" ? parseRational(value.content) : undefined;
  if (number === undefined) throw mismatch(value, type, path);
  return numberValue(number);
}

const BOOLS: ReadonlyMap<unknown, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

function toBool(value: HclValue, type: HclType, path: ValuePath): HclValue {
  const bool = BOOLS.get(value.content);
  if (bool !== undefined) return boolValue(bool);
  const lowerCase = typeof value.content === "string" ? value.content.toLowerCase() : "";
  throw mismatch(value, type, path, BOOLS.has(lowerCase) ? `Write "${lowerCase}" in lower case` : undefined);
}

function toCollection(value: HclValue, type: CollectionType, path: ValuePath): HclValue {
  const { kind } = value.type;
  if (kind !== "list" && kind !== "set" && kind !== "tuple") throw mismatch(value, type, path);
  const items = itemsOf(value).map((item, index) => convertAt(item, type.element, [...path, index]));
  const element = commonType(items, type, path);
  const unified = items.map((item, index) => convertAt(item, element, [...path, index]));
  return type.kind === "list" ? listValue(element, unified) : setValue(element, unified);
}

function toMap(value: HclValue, type: CollectionType, path: ValuePath): HclValue {
  if (value.type.kind !== "map" && value.type.kind !== "object") throw mismatch(value, type, path);
  const entries = [...entriesOf(value)].map(([key, entry]): [string, HclValue] => [
    key,
    convertAt(entry, type.element, [...path, key]),
  ]);
  const element = commonType(
    entries.map(([, entry]) => entry),
    type,
    path,
  );
  return mapValue(
    element,
    entries.map(([key, entry]) => [key, convertAt(entry, element, [...path, key])]),
  );
}

/** What `any` in the type of the elements is, if there is one. */
function commonType(items: readonly HclValue[], type: CollectionType, path: ValuePath): HclType {
  if (!hasDynamic(type.element)) return withoutOptional(type.element);
  if (items.length === 0) return withoutOptional(type.element);
  const unified = unify(items.map((item) => item.type));
  if (unified !== undefined) return unified;
  throw new ConversionError(`must have elements of one type, as it is to be a ${type.kind}`, { path, wanted: type });
}

function toTuple(value: HclValue, type: HclType & { kind: "tuple" }, path: ValuePath): HclValue {
  if (value.type.kind !== "tuple") throw mismatch(value, type, path);
  const items = itemsOf(value);
  const count = type.elements.length;
  if (items.length !== count) {
    throw new ConversionError(`must have exactly ${count} elements, not ${items.length}`, { path, wanted: type });
  }
  return tupleValue(type.elements.map((element, index) => convertAt(items[index] ?? value, element, [...path, index])));
}

function toObject(value: HclValue, type: HclType & { kind: "object" }, path: ValuePath): HclValue {
  if (value.type.kind !== "map" && value.type.kind !== "object") throw mismatch(value, type, path);
  const entries = entriesOf(value);
  const missing = [...type.attributes.keys()].filter((name) => !entries.has(name) && !type.optional?.has(name));
  if (missing.length > 0) throw missingAttributes(missing, { entries, type, path });
  return objectValue(
    [...type.attributes].map(([name, attribute]): [string, HclValue] => {
      const given = entries.get(name);
      const fallback = type.optional?.get(name);
      const isLeftOut = given === undefined || given.content === null;
      const chosen = isLeftOut && fallback !== undefined ? fallback : given;
      return [name, convertAt(chosen ?? nullValue(attribute), attribute, [...path, name])];
    }),
  );
}

interface ObjectMismatch {
  readonly entries: ReadonlyMap<string, HclValue>;
  readonly type: HclType & { kind: "object" };
  readonly path: ValuePath;
}

function missingAttributes(missing: readonly string[], { entries, type, path }: ObjectMismatch): ConversionError {
  const names = missing.map((name) => `"${name}"`).join(", ");
  const unused = [...entries.keys()].filter((key) => !type.attributes.has(key));
  const near = nearMiss(missing[0] ?? "", unused);
  return new ConversionError(`must have the attribute${missing.length === 1 ? "" : "s"} ${names}`, {
    path,
    wanted: type,
    hint: near === undefined ? undefined : `"${near}" is there: did you mean "${missing[0]}"?`,
  });
}

function mismatch(value: HclValue, wanted: HclType, path: ValuePath, hint?: string): ConversionError {
  return new ConversionError(`must be ${describeType(wanted)}, not ${describeValue(value)}`, { path, wanted, hint });
}
