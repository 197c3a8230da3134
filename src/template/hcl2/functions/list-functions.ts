import { boolValue, listValue, numberValue, tupleValue, unknownValue } from "../values/construct.ts";
import { isKnown, isTrue, itemsOf, partsOf, textOf } from "../values/contents.ts";
import { describeType } from "../values/conversion-error.ts";
import { equals } from "../values/equals.ts";
import { unify } from "../values/unify.ts";
import { BOOL, DYNAMIC, type HclType, type HclValue, NUMBER, STRING } from "../values/value.ts";
import {
  argumentAt,
  badArgument,
  countAt,
  type HclFunctionGroup,
  numberParameter,
  partlyKnown,
  STRING_LIST,
} from "./arguments.ts";
import { charactersOf } from "./characters.ts";
import { HclFunctionError } from "./hcl-function.ts";

import { convertAt, isSequence, isUntyped } from "./sequences.ts";

const ANY_LIST: HclType = { kind: "list", element: DYNAMIC };
const BOOL_LIST = { name: "list", type: { kind: "list", element: BOOL }, allowsUnknown: true } as const;

export const LIST_FUNCTIONS: HclFunctionGroup = {
  alltrue: {
    usage: "alltrue([true, true])",
    summary: "Whether all elements are true; so for an empty list",
    parameters: [BOOL_LIST],
    returnType: BOOL,
    call: (args) => quantify(args, false),
  },
  anytrue: {
    usage: "anytrue([true, false])",
    summary: "Whether any element is true",
    parameters: [BOOL_LIST],
    returnType: BOOL,
    call: (args) => quantify(args, true),
  },
  chunklist: {
    usage: 'chunklist(["a", "b", "c"], 2)',
    summary: "The list cut into lists of so many elements; 0 does not cut",
    parameters: [{ name: "list", type: ANY_LIST, allowsUnknown: true }, numberParameter("size")],
    returnType: DYNAMIC,
    call: chunkList,
  },
  coalesce: {
    usage: 'coalesce("", "a")',
    summary: "The first value that is neither null nor an empty text",
    parameters: [],
    variadic: { ...partlyKnown("vals"), allowsNull: true },
    returnType: DYNAMIC,
    call: coalesce,
  },
  coalescelist: {
    usage: 'coalescelist([], ["a"])',
    summary: "The first list that is not empty",
    parameters: [],
    variadic: { ...partlyKnown("vals"), allowsNull: true },
    returnType: DYNAMIC,
    call: coalesceList,
  },
  compact: {
    usage: 'compact(["a", "", "b"])',
    summary: "The list without empty texts",
    parameters: [{ name: "list", type: STRING_LIST }],
    returnType: STRING_LIST,
    call: (args) => {
      const items = itemsOf(argumentAt(args, 0));
      return listValue(
        STRING,
        items.filter(({ content }) => content !== null && content !== ""),
      );
    },
  },
  concat: {
    usage: 'concat(["a"], ["b"])',
    summary: "The elements of all lists, one list behind the other",
    parameters: [],
    variadic: partlyKnown("seqs"),
    returnType: DYNAMIC,
    call: concat,
  },
  contains: {
    usage: 'contains(["a", "b"], "a")',
    summary: "Whether the value is an element of the list, set or tuple",
    parameters: [partlyKnown("list"), partlyKnown("value")],
    returnType: BOOL,
    call: contains,
  },
  distinct: {
    usage: 'distinct(["a", "b", "a"])',
    summary: "The list without what it had before",
    parameters: [{ name: "list", type: ANY_LIST }],
    returnType: DYNAMIC,
    call: distinct,
  },
  element: {
    usage: 'element(["a", "b"], 3)',
    summary: "One element of the list by its index; behind the last one it begins again",
    parameters: [partlyKnown("list"), numberParameter("index")],
    returnType: DYNAMIC,
    call: element,
  },
  flatten: {
    usage: 'flatten([["a"], [["b"]]])',
    summary: "The list with the elements of the lists in it in their place",
    parameters: [partlyKnown("list")],
    returnType: DYNAMIC,
    call: flatten,
  },
  index: {
    usage: 'index(["a", "b"], "b")',
    summary: "The index of the first element that equals the value",
    parameters: [partlyKnown("list"), partlyKnown("value")],
    returnType: NUMBER,
    call: indexOf,
  },
  length: {
    usage: 'length(["a", "b"])',
    summary: "How many elements a list, map, set, tuple or object has, or characters a text",
    parameters: [partlyKnown("value")],
    returnType: NUMBER,
    call: length,
  },
  reverse: {
    usage: 'reverse(["a", "b"])',
    summary: "The elements of the list in reverse order",
    parameters: [partlyKnown("list")],
    returnType: DYNAMIC,
    call: reverse,
  },
  slice: {
    usage: 'slice(["a", "b", "c"], 1, 3)',
    summary: "The elements from one index to before another",
    parameters: [partlyKnown("list"), numberParameter("start_index"), numberParameter("end_index")],
    returnType: DYNAMIC,
    call: slice,
  },
};

/** Of the same kind, list or tuple, as the value is that the items come from. */
function sequenceLike({ type }: HclValue, items: readonly HclValue[]): HclValue {
  return type.kind === "tuple" ? tupleValue(items) : listValue("element" in type ? type.element : DYNAMIC, items);
}

function quantify(args: readonly HclValue[], decisive: boolean): HclValue {
  const list = argumentAt(args, 0);
  if (!isKnown(list)) return unknownValue(BOOL);
  const items = itemsOf(list);
  // null is not true; `anytrue` passes over it.
  const decides = (item: HclValue) => (item.content === null ? !decisive : isKnown(item) && isTrue(item) === decisive);
  if (items.some(decides)) return boolValue(decisive);
  return items.every(isKnown) ? boolValue(!decisive) : unknownValue(BOOL);
}

function chunkList(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 0);
  if (!isKnown(list)) return unknownValue(DYNAMIC);
  const size = countAt(args, 1);
  if (size < 0) throw badArgument(1, `the size of the parts must not be negative, and is ${size}`);
  const items = itemsOf(list);
  const chunks: HclValue[] = [];
  for (let start = 0; start < items.length; start += size || items.length) {
    chunks.push(sequenceLike(list, items.slice(start, start + (size || items.length))));
  }
  return listValue(list.type, chunks);
}

function coalesce(args: readonly HclValue[]): HclValue {
  const type = unify(args.map((arg) => arg.type));
  if (type === undefined) throw new HclFunctionError("all arguments must have one type");
  for (const [index, arg] of args.entries()) {
    const value = convertAt(args, index, type);
    if (!isKnown(arg)) return unknownValue(type);
    if (value.content !== null && value.content !== "") return value;
  }
  throw new HclFunctionError("all arguments are null or empty texts");
}

function coalesceList(args: readonly HclValue[]): HclValue {
  if (args.length === 0) throw new HclFunctionError("at least one argument is needed");
  for (const [index, arg] of args.entries()) {
    if (!isKnown(arg)) return unknownValue(DYNAMIC);
    if (!isSequence(arg)) throw badArgument(index, `a list is needed, not ${describeType(arg.type)}`);
    if (arg.content !== null && itemsOf(arg).length > 0) return arg;
  }
  throw new HclFunctionError("all lists are empty");
}

function concat(args: readonly HclValue[]): HclValue {
  if (args.length === 0) throw new HclFunctionError("at least one argument is needed");
  for (const [index, arg] of args.entries()) {
    if (!isSequence(arg) && !isUntyped(arg)) {
      throw badArgument(index, `all arguments must be lists or tuples, and this is ${describeType(arg.type)}`);
    }
  }
  if (!args.every(isKnown)) return unknownValue(DYNAMIC);
  const type = args.every((arg) => arg.type.kind === "list") ? unify(args.map((arg) => arg.type)) : undefined;
  if (type?.kind !== "list") return tupleValue(args.flatMap(itemsOf));
  return listValue(
    type.element,
    args.flatMap((_arg, index) => itemsOf(convertAt(args, index, type))),
  );
}

function contains(args: readonly HclValue[]): HclValue {
  const [list, value] = [argumentAt(args, 0), argumentAt(args, 1)];
  if (!isSequence(list) && list.type.kind !== "set" && !isUntyped(list)) {
    throw badArgument(0, `a list, set or tuple is needed, not ${describeType(list.type)}`);
  }
  if (!isKnown(list)) return unknownValue(BOOL);
  const answers = itemsOf(list).map((item) => equals(value, item));
  if (answers.some((answer) => answer.content === true)) return boolValue(true);
  return answers.every(isKnown) ? boolValue(false) : unknownValue(BOOL);
}

function distinct(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 0);
  const kept: HclValue[] = [];
  for (const item of itemsOf(list)) {
    if (!kept.some((other) => isTrue(equals(other, item)))) kept.push(item);
  }
  return sequenceLike(list, kept);
}

function element(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 0);
  const index = countAt(args, 1);
  if (index < 0) throw badArgument(1, `the index must not be negative, and is ${index}`);
  if (isUntyped(list)) return unknownValue(DYNAMIC);
  if (!isSequence(list)) throw badArgument(0, `${describeType(list.type)} has no elements with an index`);
  if (!isKnown(list)) return unknownValue("element" in list.type ? list.type.element : DYNAMIC);
  const items = itemsOf(list);
  const item = items[index % items.length];
  if (item === undefined) throw badArgument(0, "the list is empty");
  return item;
}

function flatten(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 0);
  if (isUntyped(list)) return unknownValue(DYNAMIC);
  if (!isSequence(list) && list.type.kind !== "set") {
    throw badArgument(0, `a list, set or tuple is needed, not ${describeType(list.type)}`);
  }
  const items = flatItems(list);
  return items === undefined ? unknownValue(DYNAMIC) : tupleValue(items);
}

/** `undefined` if something unknown could be a list. */
function flatItems(list: HclValue): readonly HclValue[] | undefined {
  if (!isKnown(list)) return undefined;
  const flat: HclValue[] = [];
  for (const item of itemsOf(list)) {
    if (isUntyped(item)) return undefined;
    if ((isSequence(item) || item.type.kind === "set") && item.content !== null) {
      const inner = flatItems(item);
      if (inner === undefined) return undefined;
      flat.push(...inner);
    } else flat.push(item);
  }
  return flat;
}

function indexOf(args: readonly HclValue[]): HclValue {
  const [list, value] = [argumentAt(args, 0), argumentAt(args, 1)];
  if (!isSequence(list) && !isUntyped(list)) {
    throw badArgument(0, `a list or tuple is needed, not ${describeType(list.type)}`);
  }
  if (!isKnown(list)) return unknownValue(NUMBER);
  for (const [index, item] of itemsOf(list).entries()) {
    const answer = equals(item, value);
    if (!isKnown(answer)) return unknownValue(NUMBER);
    if (isTrue(answer)) return numberValue(index);
  }
  throw badArgument(1, itemsOf(list).length === 0 ? "the list is empty" : "the list has no such element");
}

function length(args: readonly HclValue[]): HclValue {
  const value = argumentAt(args, 0);
  const { type } = value;
  if (type.kind === "tuple") return numberValue(type.elements.length);
  if (type.kind === "object") return numberValue(type.attributes.size);
  if (type.kind === "number" || type.kind === "bool") {
    throw badArgument(0, `${describeType(type)} has no length: a text, a list, a map or the like is needed`);
  }
  if (!isKnown(value)) return unknownValue(NUMBER);
  return numberValue(type.kind === "string" ? charactersOf(textOf(value)).length : partsOf(value).length);
}

function reverse(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 0);
  if (isUntyped(list) || !isKnown(list)) return unknownValue(DYNAMIC);
  if (!isSequence(list) && list.type.kind !== "set") {
    throw badArgument(0, `only a list or tuple can be reversed, not ${describeType(list.type)}`);
  }
  return sequenceLike(list, itemsOf(list).toReversed());
}

function slice(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 0);
  if (list.type.kind === "set") {
    throw badArgument(0, "the elements of a set have no index", "Make it a list first: slice(sort(…), 0, 1)");
  }
  if (isUntyped(list)) return unknownValue(DYNAMIC);
  if (!isSequence(list)) throw badArgument(0, `a list or tuple is needed, not ${describeType(list.type)}`);
  const [start, end] = [countAt(args, 1), countAt(args, 2)];
  if (!isKnown(list)) return unknownValue(list.type.kind === "list" ? list.type : DYNAMIC);
  const items = itemsOf(list);
  for (const [argumentIndex, name, index] of [
    [1, "start", start],
    [2, "end", end],
  ] as const) {
    if (index < 0 || index > items.length) {
      throw badArgument(argumentIndex, `the ${name} index is ${index}, and must be from 0 to ${items.length}`);
    }
  }
  if (start > end) throw badArgument(1, `the start index ${start} is behind the end index ${end}`);
  return sequenceLike(list, items.slice(start, end));
}
