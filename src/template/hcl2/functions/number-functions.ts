import { listValue, numberValue } from "../values/construct.ts";
import { itemsOf, rationalIn, textOf } from "../values/contents.ts";
import { ConversionError, describeType } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { numberOf, numberText } from "../values/number-text.ts";
import {
  ceiling,
  compareRationals,
  floor,
  negated,
  parseRational,
  type Rational,
  rationalOf,
  sum,
  ZERO,
} from "../values/rational.ts";
import { type HclType, type HclValue, NUMBER } from "../values/value.ts";
import {
  anyValue,
  argumentAt,
  badArgument,
  blame,
  countAt,
  type HclFunctionGroup,
  integerAt,
  numberParameter,
} from "./arguments.ts";
import { type EagerFunction, HclFunctionError } from "./hcl-function.ts";

const NUMBER_LIST: HclType = { kind: "list", element: NUMBER };
const numbers = { name: "numbers", type: NUMBER };

export const NUMBER_FUNCTIONS: HclFunctionGroup = {
  abs: ofNumber("abs(-1.5)", "The number without its sign", (value) => (value.numerator < 0n ? negated(value) : value)),
  ceil: ofNumber("ceil(1.2)", "The next whole number that is not less", ceiling),
  floor: ofNumber("floor(1.8)", "The next whole number that is not more", floor),
  log: {
    usage: "log(16, 2)",
    summary: "The logarithm of the first to the base of the second",
    parameters: [numberParameter("num"), numberParameter("base")],
    returnType: NUMBER,
    call: (args) => finite(Math.log(floatAt(args, 0)) / Math.log(floatAt(args, 1))),
  },
  max: {
    usage: "max(1, 3, 2)",
    summary: "The greatest of the numbers",
    parameters: [],
    variadic: numbers,
    returnType: NUMBER,
    call: (args) => extreme(args, 1),
  },
  min: {
    usage: "min(1, 3, 2)",
    summary: "The least of the numbers",
    parameters: [],
    variadic: numbers,
    returnType: NUMBER,
    call: (args) => extreme(args, -1),
  },
  parseint: {
    usage: 'parseint("ff", 16)',
    summary: "The whole number that a text is in a base from 2 to 62",
    parameters: [anyValue("number"), numberParameter("base")],
    returnType: NUMBER,
    call: parseInteger,
  },
  pow: {
    usage: "pow(2, 10)",
    summary: "The first to the power of the second",
    parameters: [numberParameter("num"), numberParameter("power")],
    returnType: NUMBER,
    call: (args) => finite(floatAt(args, 0) ** floatAt(args, 1)),
  },
  range: {
    usage: "range(1, 10, 2)",
    summary: "The numbers from a first one (0 if it is missing) to before a last one, by a step",
    parameters: [],
    variadic: { name: "params", type: NUMBER },
    returnType: NUMBER_LIST,
    call: range,
  },
  signum: {
    usage: "signum(-13)",
    summary: "-1, 0 or 1, as the whole number is negative, zero or positive",
    parameters: [numberParameter("num")],
    returnType: NUMBER,
    call: (args) => numberValue(compareRationals(rationalOf(integerAt(args, 0)), ZERO)),
  },
  sum: {
    usage: "sum([1, 2, 3])",
    summary: "The sum of the numbers of a list, a set or a tuple",
    parameters: [anyValue("list")],
    returnType: NUMBER,
    call: sumOf,
  },
};

function ofNumber(usage: string, summary: string, compute: (value: Rational) => Rational): EagerFunction {
  return {
    usage,
    summary,
    parameters: [numberParameter("num")],
    returnType: NUMBER,
    call: (args) => numberValue(compute(rationalIn(argumentAt(args, 0)))),
  };
}

/** As Packer computes it: with 64 bits. */
function floatAt(args: readonly HclValue[], index: number): number {
  return numberOf(rationalIn(argumentAt(args, index)));
}

function finite(value: number): HclValue {
  const number = parseRational(String(value));
  // As few digits as tell it from others, also of 2 to the power of 100: so does Packer.
  if (number !== undefined) return numberValue(number);
  throw new HclFunctionError(`the result is ${Number.isNaN(value) ? "no number" : "infinite"}`);
}

function extreme(args: readonly HclValue[], sign: 1 | -1): HclValue {
  const [first, ...others] = args;
  if (first === undefined) throw new HclFunctionError("at least one number is needed");
  return others.reduce(
    (best, value) => (sign * compareRationals(rationalIn(value), rationalIn(best)) > 0 ? value : best),
    first,
  );
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

function parseInteger(args: readonly HclValue[]): HclValue {
  const given = argumentAt(args, 0);
  if (given.type.kind !== "string") throw badArgument(0, `a text is needed, not ${describeType(given.type)}`);
  const text = textOf(given);
  const base = countAt(args, 1);
  if (base < 2 || base > 62) throw badArgument(1, `the base must be from 2 to 62, and is ${base}`);
  const [, sign = "", digits = ""] = /^([-+]?)(.+)$/.exec(base > 36 ? text : text.toLowerCase()) ?? [];
  const values = Array.from(digits, (digit) => DIGITS.indexOf(digit));
  if (values.length === 0 || values.some((value) => value < 0 || value >= base)) {
    throw badArgument(0, `${JSON.stringify(text)} is no whole number in base ${base}`);
  }
  const magnitude = values.reduce((number, value) => number * BigInt(base) + BigInt(value), 0n);
  return numberValue(sign === "-" ? -magnitude : magnitude);
}

// Packer's limit: it is for indexes.
const RANGE_LENGTH_MAX = 1024;

function range(args: readonly HclValue[]): HclValue {
  if (args.length < 1 || args.length > 3) {
    throw new HclFunctionError(`one, two or three numbers are needed, not ${args.length}`);
  }
  const values = args.map(rationalIn);
  const [start = ZERO, end = ZERO, givenStep] = values.length === 1 ? [ZERO, ...values] : values;
  const direction = compareRationals(end, start) < 0 ? -1 : 1;
  const step = givenStep ?? rationalOf(direction);
  if (step.numerator === 0n) throw badArgument(2, "the step is 0");
  const isDown = step.numerator < 0n;
  if (compareRationals(start, end) !== 0 && isDown !== direction < 0) {
    const way = `${numberText(start)} to ${numberText(end)}`;
    throw badArgument(2, `a step of ${numberText(step)} does not lead from ${way}`);
  }
  const steps: HclValue[] = [];
  for (let next = start; (isDown ? -1 : 1) * compareRationals(next, end) < 0; next = sum(next, step)) {
    if (steps.length === RANGE_LENGTH_MAX)
      throw new HclFunctionError(`there are more than ${RANGE_LENGTH_MAX} numbers`);
    steps.push(numberValue(next));
  }
  return listValue(NUMBER, steps);
}

function sumOf(args: readonly HclValue[]): HclValue {
  const list = argumentAt(args, 0);
  const { kind } = list.type;
  if (kind !== "list" && kind !== "set" && kind !== "tuple") throw badArgument(0, "a list of numbers is needed");
  const items = itemsOf(list);
  if (items.length === 0) throw badArgument(0, "the list is empty");
  const values = items.map((item, index) => {
    if (item.content === null) throw badArgument(0, `element ${index} is null`);
    return rationalIn(blame(ConversionError, 0, () => convert(item, NUMBER)));
  });
  return numberValue(values.reduce(sum));
}
