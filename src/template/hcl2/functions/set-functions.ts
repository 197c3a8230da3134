import { listValue, setValue, tupleValue } from "../values/construct.ts";
import { isTrue, itemsOf } from "../values/contents.ts";
import { describeType } from "../values/conversion-error.ts";
import { equals } from "../values/equals.ts";
import { unify } from "../values/unify.ts";
import { DYNAMIC, type HclType, type HclValue } from "../values/value.ts";
import { anyValue, badArgument, type HclFunctionGroup } from "./arguments.ts";
import { HclFunctionError } from "./hcl-function.ts";

import { convertAt, isSequence } from "./sequences.ts";

const ANY_SET: HclType = { kind: "set", element: DYNAMIC };
const firstSet = { name: "first_set", type: ANY_SET };
const otherSets = { name: "other_sets", type: ANY_SET };

export const SET_FUNCTIONS: HclFunctionGroup = {
  setintersection: {
    usage: 'setintersection(["a", "b"], ["b"])',
    summary: "What is in all of the sets",
    parameters: [firstSet],
    variadic: otherSets,
    returnType: ANY_SET,
    call: (args) => {
      const { element: type, sets } = unifiedSets(args);
      const [first = [], ...others] = sets;
      const isIn = (set: readonly HclValue[], item: HclValue) => set.some((other) => isTrue(equals(other, item)));
      return setValue(
        type,
        first.filter((item) => others.every((set) => isIn(set, item))),
      );
    },
  },
  setproduct: {
    usage: 'setproduct(["a", "b"], [1, 2])',
    summary: "All tuples of one element of each list or set",
    parameters: [],
    variadic: anyValue("sets"),
    returnType: DYNAMIC,
    call: setProduct,
  },
  setunion: {
    usage: 'setunion(["a"], ["b"])',
    summary: "What is in any of the sets",
    parameters: [firstSet],
    variadic: otherSets,
    returnType: ANY_SET,
    call: (args) => {
      const { element: type, sets } = unifiedSets(args);
      return setValue(type, sets.flat());
    },
  },
};

function unifiedSets(args: readonly HclValue[]): { element: HclType; sets: readonly (readonly HclValue[])[] } {
  const elements = args.flatMap(({ type }) =>
    "element" in type && type.element.kind !== "dynamic" ? [type.element] : [],
  );
  const element = elements.length === 0 ? DYNAMIC : unify(elements);
  if (element === undefined) throw new HclFunctionError("the sets must have elements of one type");
  return { element, sets: args.map((_arg, index) => itemsOf(convertAt(args, index, { kind: "set", element }))) };
}

// As many parts as any value may have.
const PRODUCT_PARTS_MAX = 500_000;

function setProduct(args: readonly HclValue[]): HclValue {
  if (args.length < 2) throw new HclFunctionError("at least two lists or sets are needed");
  const sets = args.map((arg, index) => {
    if (!isSequence(arg) && arg.type.kind !== "set") {
      throw badArgument(index, `a set or a list is needed, not ${describeType(arg.type)}`);
    }
    const element = "element" in arg.type ? arg.type.element : unify(itemsOf(arg).map(({ type }) => type));
    if (element === undefined) throw badArgument(index, "all elements must have one type");
    return { element, items: itemsOf(convertAt(args, index, { kind: "list", element })) };
  });
  const count = sets.reduce((product, { items }) => product * items.length, 1);
  if (count * args.length > PRODUCT_PARTS_MAX) throw new HclFunctionError(`there would be ${count} combinations`);
  const combinations = sets.reduce<readonly (readonly HclValue[])[]>(
    (heads, { items }) => heads.flatMap((head) => items.map((item) => [...head, item])),
    [[]],
  );
  const type: HclType = { kind: "tuple", elements: sets.map(({ element }) => element) };
  const tuples = combinations.map((items) => tupleValue(items));
  return args.every(isSequence) ? listValue(type, tuples) : setValue(type, tuples);
}
