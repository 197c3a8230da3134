// The printf of cty: Go's, but for values of HCL2, and an error for whatever does not fit.

import type { BinaryFloat } from "../../go-format/decimal.ts";
import type { Directive } from "../../go-format/directive.ts";
import {
  type FloatVerb,
  floatText,
  formatFloat,
  formatInteger,
  type IntegerVerb,
} from "../../go-format/format-number.ts";
import { stringValue } from "../values/construct.ts";
import { isTrue, rationalIn, textOf } from "../values/contents.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { toJson } from "../values/json.ts";
import { isWhole, PRECISION_BITS, type Rational, roundedToBits } from "../values/rational.ts";
import { BOOL, type HclType, type HclValue, NUMBER, STRING } from "../values/value.ts";
import { checkLength } from "./arguments.ts";
import { charactersOf } from "./characters.ts";
import { HclFunctionError } from "./hcl-function.ts";

interface Verb extends Directive {
  /** As it was written. */
  readonly text: string;
  readonly verb: string;
  /** From 0. */
  readonly index: number;
}

/**
 * @param args wholly known.
 * @throws {HclFunctionError}
 */
export function printf(format: string, args: readonly HclValue[]): string {
  let result = "";
  let next = 0;
  let used = 0;
  let position = 0;
  for (const match of format.matchAll(/%([-+# 0]*)([1-9]\d*)?(?:\.(\d*))?(?:\[(\d+)\])?(.|$)/gsu)) {
    const [text, flags = "", width, precision, index, verb = ""] = match;
    result += format.slice(position, match.index);
    position = match.index + text.length;
    if (verb === "%") {
      result += "%";
      continue;
    }
    if (!/[A-Za-z]/.test(verb)) throw notUnderstood(text);
    const directive: Verb = {
      text,
      verb,
      index: index === undefined ? next : Number(index) - 1,
      isAlternate: flags.includes("#"),
      isZeroPadded: flags.includes("0"),
      isLeftAligned: flags.includes("-"),
      hasPlus: flags.includes("+"),
      hasSpace: flags.includes(" "),
      width: limited(width, text),
      precision: limited(precision, text),
    };
    result += formatOne(directive, args);
    checkLength(result.length);
    next = directive.index + 1;
    used = Math.max(used, next);
  }
  if (used < args.length) {
    const count = used === 0 ? "none" : used;
    throw new HclFunctionError(`there are ${args.length} values, and the format uses ${count}`, {
      argumentIndex: used + 1,
    });
  }
  return result + format.slice(position);
}

function notUnderstood(text: string): HclFunctionError {
  const what = text === "%" ? '"%" at the end of the format' : `"${text}" in the format`;
  return new HclFunctionError(`${what} is not understood`, { argumentIndex: 0, hint: 'Write "%%" for a percent sign' });
}

const SIZE_MAX = 1_000_000;

function limited(digits: string | undefined, text: string): number | undefined {
  if (digits === undefined) return undefined;
  if (Number(digits) <= SIZE_MAX) return Number(digits);
  throw new HclFunctionError(`"${text.slice(0, 30)}" is wider than ${SIZE_MAX}`, { argumentIndex: 0 });
}

function formatOne(directive: Verb, args: readonly HclValue[]): string {
  const { text, index, verb } = directive;
  const value = args[index];
  if (value === undefined) {
    const count = args.length === 1 ? "is 1 value" : `are ${args.length} values`;
    throw new HclFunctionError(`"${text}" needs value ${index + 1}, and there ${count}`, { argumentIndex: 0 });
  }
  if (value.content === null && verb !== "v") throw blameValue(directive, "is null, and cannot be formatted");
  switch (verb) {
    case "v":
      return padText(valueText(value, directive), directive);
    case "t":
      return String(isTrue(converted(value, BOOL, directive)));
    case "b":
    case "d":
    case "o":
    case "x":
    case "X":
      return formatWhole(rationalIn(converted(value, NUMBER, directive)), verb, directive);
    case "e":
    case "E":
    case "f":
    case "g":
    case "G":
      return formatFraction(rationalIn(converted(value, NUMBER, directive)), verb, directive);
    case "s":
      return padText(cut(textOf(converted(value, STRING, directive)), directive), directive);
    case "q": {
      const quoted = toJson(stringValue(cut(textOf(converted(value, STRING, directive)), directive)));
      return padText(quoted, directive);
    }
    default:
      throw new HclFunctionError(`there is no verb "%${verb}"`, {
        argumentIndex: 0,
        hint: "The verbs are %v %#v %t %b %d %o %x %X %e %E %f %g %G %s %q",
      });
  }
}

function valueText(value: HclValue, { isAlternate }: Verb): string {
  if (!isAlternate && value.content !== null) {
    if (value.type.kind === "string") return textOf(value);
    if (value.type.kind === "number") return floatText(binaryFloat(rationalIn(value)), "g", "shortest");
  }
  return toJson(value);
}

function formatWhole(value: Rational, verb: IntegerVerb, directive: Verb): string {
  if (!isWhole(value)) throw blameValue(directive, "must be a whole number");
  return formatInteger(value.numerator, verb, directive);
}

function formatFraction(value: Rational, verb: FloatVerb, directive: Verb): string {
  return formatFloat(binaryFloat(value), verb, directive);
}

/** As Packer has the number. */
function binaryFloat(value: Rational): BinaryFloat {
  if (value.numerator === 0n) return { isNegative: false, mantissa: 0n, exponent: 0, precisionBits: PRECISION_BITS };
  const { mantissa, exponent } = roundedToBits(value, PRECISION_BITS);
  const isNegative = mantissa < 0n;
  return { isNegative, mantissa: isNegative ? -mantissa : mantissa, exponent, precisionBits: PRECISION_BITS };
}

function cut(text: string, { precision = 0 }: Verb): string {
  return precision === 0 ? text : charactersOf(text).slice(0, precision).join("");
}

/** In cty, a zero fills up texts too, even behind them. */
function padText(text: string, { width = 0, isZeroPadded, isLeftAligned }: Verb): string {
  const missing = width - charactersOf(text).length;
  if (missing <= 0) return text;
  const fill = (isZeroPadded ? "0" : " ").repeat(missing);
  return isLeftAligned ? text + fill : fill + text;
}

function converted(value: HclValue, type: HclType, directive: Verb): HclValue {
  try {
    return convert(value, type);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw blameValue(directive, error.message);
  }
}

function blameValue({ text, index }: Verb, reason: string): HclFunctionError {
  return new HclFunctionError(`value ${index + 1}, for "${text}", ${reason}`, { argumentIndex: index + 1 });
}
