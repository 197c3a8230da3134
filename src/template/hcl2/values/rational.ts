import { ValueLimitError } from "./value-size.ts";

/** A number as HCL2 has it: exact, however large or small. `numerator / denominator` in lowest terms, `denominator` > 0. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** What Packer's numbers have. Ours are exact up to this size of numerator and denominator, and rounded to it beyond. */
export const PRECISION_BITS = 512;
const PRECISION_LIMIT = 1n << BigInt(PRECISION_BITS);

// About 1e±19728. Its decimal digits are still made in no time.
const MAGNITUDE_BITS_MAX = 65_536;
const EXPONENT_MAX = 20_000;
const TEXT_LENGTH_MAX = 20_000;

export const ZERO: Rational = { numerator: 0n, denominator: 1n };

export function rationalOf(value: number | bigint): Rational {
  if (typeof value === "bigint") return reduced(value, 1n);
  if (Number.isInteger(value)) return reduced(BigInt(value), 1n);
  const parsed = parseRational(String(value));
  if (parsed === undefined) throw new RangeError(`Cannot make a number of ${value}`);
  return parsed;
}

/**
 * Reads a decimal number: `12`, `-1.5`, `.5`, `1e-3`, and `1p3`, which is 1 × 2³.
 *
 * @returns `undefined` if it is not one.
 * @throws {ValueLimitError} if it is too large or too small.
 */
export function parseRational(text: string): Rational | undefined {
  // Most numbers are like this.
  if (/^\d{1,15}$/.test(text)) return { numerator: BigInt(text), denominator: 1n };
  const match = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:([eEpP])([+-]?\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponentMark = "e", exponentText = "0"] = match;
  const digits = BigInt(checkedLength(`${whole}${fraction}`) || "0");
  if (digits === 0n) return ZERO;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > EXPONENT_MAX) throw outOfRange();
  const base = exponentMark.toLowerCase() === "p" ? 2n : 10n;
  const power = base ** BigInt(Math.abs(exponent));
  const scale = 10n ** BigInt(fraction.length);
  const signed = sign === "-" ? -digits : digits;
  return exponent < 0 ? reduced(signed, scale * power) : reduced(signed * power, scale);
}

function checkedLength(digits: string): string {
  if (digits.length > TEXT_LENGTH_MAX) throw outOfRange();
  return digits;
}

export function sum(a: Rational, b: Rational): Rational {
  return reduced(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function difference(a: Rational, b: Rational): Rational {
  return sum(a, negated(b));
}

export function product(a: Rational, b: Rational): Rational {
  return reduced(a.numerator * b.numerator, a.denominator * b.denominator);
}

/** @param b not zero. */
export function quotient(a: Rational, b: Rational): Rational {
  return reduced(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** Of the division that rounds toward zero, so it has the sign of `a`. @param b not zero. */
export function remainder(a: Rational, b: Rational): Rational {
  return difference(a, product(b, truncated(quotient(a, b))));
}

export function negated({ numerator, denominator }: Rational): Rational {
  return { numerator: -numerator, denominator };
}

/** Rounded toward zero. */
export function truncated({ numerator, denominator }: Rational): Rational {
  return { numerator: numerator / denominator, denominator: 1n };
}

export function floor(value: Rational): Rational {
  const whole = truncated(value);
  return value.numerator < 0n && !isWhole(value) ? difference(whole, rationalOf(1)) : whole;
}

export function ceiling(value: Rational): Rational {
  return negated(floor(negated(value)));
}

export function isWhole({ denominator }: Rational): boolean {
  return denominator === 1n;
}

/** Negative, 0 or positive, as `sort` wants it. */
export function compareRationals(a: Rational, b: Rational): number {
  const left = a.numerator * b.denominator;
  const right = b.numerator * a.denominator;
  return left < right ? -1 : Number(left > right);
}

/** `mantissa × 2^exponent`, nearest to the value; the mantissa has at most `bits` bits and no factor 2 too many. */
export function roundedToBits({ numerator, denominator }: Rational, bits: number): BinaryNumber {
  const isNegative = numerator < 0n;
  const magnitude = isNegative ? -numerator : numerator;
  // One bit more than wanted, or two: enough to see the half, with the remainder as what is below it.
  const shift = bits + 1 - (bitLength(magnitude) - bitLength(denominator));
  const scaled = shift > 0 ? magnitude << BigInt(shift) : magnitude;
  const divisor = shift < 0 ? denominator << BigInt(-shift) : denominator;
  const digits = scaled / divisor;
  const excess = bitLength(digits) - bits;
  const half = 1n << BigInt(excess - 1);
  const below = digits & ((half << 1n) - 1n);
  let mantissa = digits >> BigInt(excess);
  const isTie = below === half && scaled % divisor === 0n;
  if (isTie ? (mantissa & 1n) === 1n : below >= half) mantissa += 1n;
  return { mantissa: isNegative ? -mantissa : mantissa, exponent: excess - shift };
}

export interface BinaryNumber {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** @param value not negative. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] ?? "0", 16)));
}

/** In lowest terms, and rounded if it has more digits than we keep. */
function reduced(numerator: bigint, denominator: bigint): Rational {
  const exact = inLowestTerms(numerator, denominator);
  const { numerator: above, denominator: below } = exact;
  if (above < PRECISION_LIMIT && above > -PRECISION_LIMIT && below < PRECISION_LIMIT) return exact;
  const numeratorBits = bitLength(above < 0n ? -above : above);
  const denominatorBits = bitLength(below);
  if (Math.abs(numeratorBits - denominatorBits) > MAGNITUDE_BITS_MAX) throw outOfRange();
  const { mantissa, exponent } = roundedToBits(exact, PRECISION_BITS);
  const power = 1n << BigInt(Math.abs(exponent));
  return exponent < 0 ? inLowestTerms(mantissa, power) : { numerator: mantissa * power, denominator: 1n };
}

function inLowestTerms(numerator: bigint, denominator: bigint): Rational {
  if (denominator < 0n) return inLowestTerms(-numerator, -denominator);
  if (denominator === 1n) return { numerator, denominator };
  const divisor = greatestCommonDivisor(numerator < 0n ? -numerator : numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [large, small] = [a, b];
  while (small !== 0n) [large, small] = [small, large % small];
  return large;
}

function outOfRange(): ValueLimitError {
  return new ValueLimitError("A number is too large, too small or too long: it must be between 1e-19000 and 1e19000");
}
