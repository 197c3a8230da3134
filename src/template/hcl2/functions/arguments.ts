// What the functions need to take their arguments and give their results. The arguments have been checked and converted.
import { stringValue } from "../values/construct.ts";
import { rationalIn, textOf } from "../values/contents.ts";
import { numberText } from "../values/number-text.ts";
import { isWhole } from "../values/rational.ts";
import { DYNAMIC, type HclType, type HclValue, NUMBER, STRING } from "../values/value.ts";
import { type EagerFunction, HclFunctionError, type HclParameter } from "./hcl-function.ts";

export type HclFunctionGroup = Readonly<Record<string, EagerFunction>>;

export const STRING_LIST: HclType = { kind: "list", element: STRING };

export function anyValue(name: string): HclParameter {
  return { name, type: DYNAMIC };
}

/** For a function that looks at what of the value is known. */
export function partlyKnown(name: string): HclParameter {
  return { name, type: DYNAMIC, allowsUnknown: true };
}

export function textParameter(name: string): HclParameter {
  return { name, type: STRING };
}

export function numberParameter(name: string): HclParameter {
  return { name, type: NUMBER };
}

/** A function of texts that gives a text. */
export function textFunction(
  { usage, summary, parameters }: { usage: string; summary: string; parameters: readonly string[] },
  compute: (...texts: string[]) => string,
): EagerFunction {
  return {
    usage,
    summary,
    parameters: parameters.map(textParameter),
    returnType: STRING,
    call: (args) => stringValue(compute(...args.map(textOf))),
  };
}

/** The arguments are as many as there are parameters: to find none is a mistake of ours. */
export function argumentAt(args: readonly HclValue[], index: number): HclValue {
  const value = args[index];
  if (value === undefined) throw new TypeError(`The function has no argument ${index}`);
  return value;
}

export function textAt(args: readonly HclValue[], index: number): string {
  return textOf(argumentAt(args, index));
}

/** A whole number. @throws {HclFunctionError} */
export function integerAt(args: readonly HclValue[], index: number): bigint {
  const value = rationalIn(argumentAt(args, index));
  if (isWhole(value)) return value.numerator;
  throw badArgument(index, `a whole number is needed, not ${numberText(value)}`);
}

/** A whole number that counts something. @throws {HclFunctionError} if it is no index of anything. */
export function countAt(args: readonly HclValue[], index: number): number {
  const count = Number(integerAt(args, index));
  if (Number.isSafeInteger(count)) return count;
  throw badArgument(index, `the number ${integerAt(args, index)} is too large`);
}

/** @param message stands behind 'Cannot call "name": '. */
export function badArgument(argumentIndex: number, message: string, hint?: string): HclFunctionError {
  return new HclFunctionError(message, { argumentIndex, ...(hint === undefined ? {} : { hint }) });
}

/** Runs what may throw an error of the given kind, which is then the argument's. */
export function blame<T>(kind: new (...args: never[]) => Error, argumentIndex: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof kind) throw badArgument(argumentIndex, error.message);
    throw error;
  }
}

// No value is longer. To find out before it is made saves the memory of this process.
const TEXT_LENGTH_MAX = 64 * 1024 ** 2;

/** @throws {HclFunctionError} if a result would be longer than a value may be. */
export function checkLength(length: number): void {
  if (length > TEXT_LENGTH_MAX) {
    throw new HclFunctionError(`the result would be longer than ${TEXT_LENGTH_MAX} characters`);
  }
}
