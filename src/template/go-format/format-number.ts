import { type BinaryFloat, type Decimal, exactDecimal, roundDecimal, shortestDecimal } from "./decimal.ts";
import { type Directive, padNumber, signOf } from "./directive.ts";

export type FloatVerb = "e" | "E" | "f" | "F" | "g" | "G";
export type IntegerVerb = "b" | "d" | "o" | "O" | "x" | "X";

const RADIX: Readonly<Record<IntegerVerb, number>> = { b: 2, d: 10, o: 8, O: 8, x: 16, X: 16 };
const ALTERNATE_PREFIX: Readonly<Record<IntegerVerb, string>> = { b: "0b", d: "", o: "0", O: "", x: "0x", X: "0X" };

/** An integer as Go's fmt writes it. */
export function formatInteger(value: bigint, verb: IntegerVerb, directive: Directive): string {
  const { precision, isAlternate } = directive;
  if (value === 0n && precision === 0) return padNumber("", "", { ...directive, isZeroPadded: false });
  const magnitude = (value < 0n ? -value : value).toString(RADIX[verb]);
  const digits = (verb === "X" ? magnitude.toUpperCase() : magnitude).padStart(precision ?? 0, "0");
  const prefix = (verb === "O" ? "0o" : "") + (isAlternate ? ALTERNATE_PREFIX[verb] : "");
  const isZeroPadded = directive.isZeroPadded && precision === undefined;
  return padNumber(signOf(value < 0n, directive) + prefix, digits, { ...directive, isZeroPadded });
}

// Go's default where the shortest is not asked for.
const PRECISION = 6;

/** A number as Go's fmt writes it with a verb. The flag `#` has no effect. */
export function formatFloat(value: BinaryFloat, verb: FloatVerb, directive: Directive): string {
  const text = floatText(value, verb, directive.precision ?? (/g/i.test(verb) ? "shortest" : PRECISION));
  return padNumber(signOf(value.isNegative, directive), text.replace(/^-/, ""), directive);
}

/**
 * As strconv.FormatFloat and big.Float.Text.
 *
 * @param precision digits behind the point; for g and G all digits; "shortest" for as many as tell the number from others.
 */
export function floatText(value: BinaryFloat, verb: FloatVerb, precision: number | "shortest"): string {
  const isShortest = precision === "shortest";
  const all = isShortest ? shortestDecimal(value) : exactDecimal(value);
  const sign = value.isNegative ? "-" : "";
  switch (verb) {
    case "e":
    case "E": {
      const digits = isShortest ? all : roundDecimal(all, 1 + precision);
      return sign + scientific(digits, verb, isShortest ? Math.max(digits.digits.length - 1, 0) : precision);
    }
    case "f":
    case "F": {
      const digits = isShortest ? all : roundDecimal(all, all.exponent + precision);
      return sign + positional(digits, isShortest ? fractionLength(digits) : precision);
    }
    default:
      return sign + general(all, verb, precision);
  }
}

function general(all: Decimal, verb: "g" | "G", precision: number | "shortest"): string {
  const isShortest = precision === "shortest";
  const digitCount = precision === "shortest" ? PRECISION : precision || 1;
  const digits = isShortest ? all : roundDecimal(all, digitCount);
  const { length } = digits.digits;
  // The shortest has an exponent from 21 digits on in other languages; in Go as if the precision were 6.
  const limit = !isShortest && digitCount > length && length >= digits.exponent ? length : digitCount;
  const exponent = exponentOf(digits);
  if (exponent >= -4 && exponent < limit) return positional(digits, fractionLength(digits));
  return scientific(digits, verb === "g" ? "e" : "E", Math.max(length - 1, 0));
}

/** Of `d.ddd × 10^exponent`. */
function exponentOf({ digits, exponent }: Decimal): number {
  return digits === "" ? -1 : exponent - 1;
}

function fractionLength({ digits, exponent }: Decimal): number {
  return Math.max(digits.length - exponent, 0);
}

function scientific({ digits, exponent }: Decimal, letter: "e" | "E", fraction: number): string {
  const power = digits === "" ? 0 : exponent - 1;
  const padded = digits.padEnd(1 + fraction, "0");
  const mantissa = fraction > 0 ? `${padded.charAt(0)}.${padded.slice(1, 1 + fraction)}` : padded.charAt(0);
  const powerText = String(Math.abs(power)).padStart(2, "0");
  return `${mantissa}${letter}${power < 0 ? "-" : "+"}${powerText}`;
}

function positional({ digits, exponent }: Decimal, fraction: number): string {
  const whole = exponent > 0 ? digits.slice(0, exponent).padEnd(exponent, "0") : "0";
  const behind = exponent > 0 ? digits.slice(exponent) : digits === "" ? "" : "0".repeat(-exponent) + digits;
  return fraction > 0 ? `${whole}.${behind.padEnd(fraction, "0").slice(0, fraction)}` : whole;
}
