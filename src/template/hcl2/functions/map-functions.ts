import {
  listValue,
  mapValue,
  nullValue,
  objectValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "../values/construct.ts";
import { entriesOf, isKnown, itemsOf, partsOf, textOf } from "../values/contents.ts";
import { describeType } from "../values/conversion-error.ts";
import { isSameType } from "../values/types.ts";
import { DYNAMIC, type HclValue, STRING } from "../values/value.ts";
import {
  argumentAt,
  badArgument,
  type HclFunctionGroup,
  partlyKnown,
  STRING_LIST,
  textAt,
  textParameter,
} from "./arguments.ts";

import { convertAt, isSequence, isUntyped } from "./sequences.ts";

export const MAP_FUNCTIONS: HclFunctionGroup = {
  keys: {
    usage: "keys({ a = 1, b = 2 })",
    summary: "The keys of a map, or the names of an object's attributes, sorted",
    parameters: [partlyKnown("inputMap")],
    returnType: DYNAMIC,
    call: keys,
  },
  lookup: {
    usage: 'lookup({ a = 1 }, "b", 0)',
    summary: "The value of a key of a map, or the default where it has none",
    parameters: [partlyKnown("inputMap"), textParameter("key"), partlyKnown("default")],
    returnType: DYNAMIC,
    call: lookup,
  },
  merge: {
    usage: "merge({ a = 1 }, { b = 2 })",
    summary: "The entries of all maps and objects; those of later ones replace others",
    parameters: [],
    variadic: { ...partlyKnown("maps"), allowsNull: true },
    returnType: DYNAMIC,
    call: merge,
  },
  values: {
    usage: "values({ a = 1, b = 2 })",
    summary: "The values of a map or an object in the order of its keys",
    parameters: [partlyKnown("values")],
    returnType: DYNAMIC,
    call: values,
  },
  zipmap: {
    usage: 'zipmap(["a", "b"], [1, 2])',
    summary: "A map with keys of the first list and values of the second",
    parameters: [{ name: "keys", type: STRING_LIST }, partlyKnown("values")],
    returnType: DYNAMIC,
    call: zipMap,
  },
};

function keys(args: readonly HclValue[]): HclValue {
  const map = argumentAt(args, 0);
  // The type tells the names, whether their values are known or not.
  if (map.type.kind === "object") return tupleValue([...map.type.attributes.keys()].sort().map(stringValue));
  if (isUntyped(map)) return unknownValue(DYNAMIC);
  if (map.type.kind !== "map") throw badArgument(0, `a map or object is needed, not ${describeType(map.type)}`);
  return isKnown(map) ? listValue(STRING, [...entriesOf(map).keys()].map(stringValue)) : unknownValue(STRING_LIST);
}

function lookup(args: readonly HclValue[]): HclValue {
  const [map, key, fallback] = [argumentAt(args, 0), textAt(args, 1), argumentAt(args, 2)];
  if (isUntyped(map)) return unknownValue(DYNAMIC);
  if (map.type.kind !== "map" && map.type.kind !== "object") {
    throw badArgument(0, `a map is needed, not ${describeType(map.type)}`);
  }
  if (!isKnown(map)) return unknownValue(map.type.kind === "map" ? map.type.element : DYNAMIC);
  const value = entriesOf(map).get(key.normalize("NFC"));
  if (value !== undefined) return value;
  return map.type.kind === "map" ? convertAt(args, 2, map.type.element) : fallback;
}

function merge(args: readonly HclValue[]): HclValue {
  const [first] = args;
  if (first === undefined) return objectValue([]);
  for (const [index, arg] of args.entries()) {
    if (arg.type.kind !== "map" && arg.type.kind !== "object" && arg.type.kind !== "dynamic") {
      throw badArgument(index, `all arguments must be maps or objects, and this is ${describeType(arg.type)}`);
    }
  }
  if (!args.every(isKnown)) return unknownValue(DYNAMIC);
  const given = args.filter(({ content }) => content !== null);
  if (given.length === 0) return nullValue(first.type);
  const entries = new Map(given.flatMap((arg) => [...entriesOf(arg)]));
  const isOneType = args.every(({ type }) => isSameType(type, first.type));
  return isOneType && first.type.kind === "map" ? mapValue(first.type.element, entries) : objectValue(entries);
}

function values(args: readonly HclValue[]): HclValue {
  const map = argumentAt(args, 0);
  if (isUntyped(map)) return unknownValue(DYNAMIC);
  if (map.type.kind !== "map" && map.type.kind !== "object") {
    throw badArgument(0, `a map is needed, not ${describeType(map.type)}`);
  }
  if (!isKnown(map)) return unknownValue(DYNAMIC);
  return map.type.kind === "map" ? listValue(map.type.element, partsOf(map)) : tupleValue(partsOf(map));
}

function zipMap(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 1);
  if (!isSequence(list) && !isUntyped(list)) {
    throw badArgument(1, `a list or tuple is needed, not ${describeType(list.type)}`);
  }
  if (!isKnown(list)) return unknownValue(DYNAMIC);
  const names = itemsOf(argumentAt(args, 0));
  const items = itemsOf(list);
  if (names.length !== items.length) {
    throw badArgument(1, `there are ${names.length} keys, but ${items.length} values`);
  }
  const entries = names.map((name, index): [string, HclValue] => {
    if (name.content === null) throw badArgument(0, `element ${index} is null, and no key`);
    return [textOf(name), argumentAt(items, index)];
  });
  return list.type.kind === "list" ? mapValue(list.type.element, entries) : objectValue(entries);
}
