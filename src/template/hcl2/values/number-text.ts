import { bitLength, isWhole, PRECISION_BITS, type Rational, roundedToBits } from "./rational.ts";

/**
 * A number as a text, in digits without an exponent: `0.1`, `1000`.
 *
 * As cty does: the shortest decimal that is the same number when it is read with 512 bits. 1/3 has 155 digits.
 */
export function numberText(value: Rational): string {
  if (isWhole(value) && value.numerator >> BigInt(PRECISION_BITS) === 0n) return value.numerator.toString();
  if (value.numerator < 0n) return `-${numberText({ ...value, numerator: -value.numerator })}`;
  return pointed(shortestDigits(value));
}

/** Whole numbers below it are doubles. */
const DOUBLE_LIMIT = 1n << 53n;

/** The nearest double; infinite for what is too large for one. */
export function numberOf(value: Rational): number {
  const { numerator, denominator } = value;
  const isExact = numerator < DOUBLE_LIMIT && numerator > -DOUBLE_LIMIT && denominator < DOUBLE_LIMIT;
  // One division of two doubles is rounded once, as is reading a decimal.
  return isExact ? Number(numerator) / Number(denominator) : Number(numberText(value));
}

/** 0.`digits` × 10^`point`. Without zeros at the ends. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** Go's algorithm (math/big, ftoa.go, roundShortest): where two decimals are equally short, it must be Go's choice. */
function shortestDigits(value: Rational): Decimal {
  const rounded = roundedToBits(value, PRECISION_BITS);
  // The mantissa such that its last bit is worth half a unit of the last place.
  const shift = PRECISION_BITS + 1 - bitLength(rounded.mantissa);
  const mantissa = rounded.mantissa << BigInt(shift);
  const exponent = rounded.exponent - shift;
  const exact = decimalOf(mantissa, exponent);
  const lower = decimalOf(mantissa - 1n, exponent);
  const upper = decimalOf(mantissa + 1n, exponent);
  // A neighbour may be taken if whoever reads it rounds it to our even mantissa.
  const isInclusive = (mantissa & 2n) === 0n;
  for (let index = 0; index < exact.digits.length; index++) {
    const digit = digitAt(exact, index);
    const upperDigit = digitAt(upper, index);
    const length = index + 1;
    const mayRoundDown = digitAt(lower, index) !== digit || (isInclusive && length === lower.digits.length);
    const mayRoundUp = digit !== upperDigit && (isInclusive || digit + 1 < upperDigit || length < upper.digits.length);
    if (mayRoundDown && mayRoundUp) return cut(exact, length, isUpNearer(exact, length));
    if (mayRoundDown || mayRoundUp) return cut(exact, length, mayRoundUp);
  }
  return exact;
}

function decimalOf(mantissa: bigint, exponent: number): Decimal {
  const power = BigInt(Math.abs(exponent));
  const digits = (exponent < 0 ? mantissa * 5n ** power : mantissa << power).toString();
  return { digits: digits.replace(/0+$/, ""), point: digits.length + Math.min(exponent, 0) };
}

function digitAt({ digits }: Decimal, index: number): number {
  return index < digits.length ? digits.charCodeAt(index) - 48 : 0;
}

function isUpNearer(decimal: Decimal, length: number): boolean {
  const next = digitAt(decimal, length);
  if (next !== 5 || decimal.digits.length > length + 1) return next >= 5;
  // Exactly half: to the even digit.
  return digitAt(decimal, length - 1) % 2 === 1;
}

function cut({ digits, point }: Decimal, length: number, isUp: boolean): Decimal {
  const kept = digits.slice(0, length);
  const rounded = isUp ? (BigInt(kept) + 1n).toString() : kept;
  return { digits: rounded.replace(/0+$/, ""), point: point + rounded.length - length };
}

function pointed({ digits, point }: Decimal): string {
  if (point <= 0) return `0.${"0".repeat(-point)}${digits}`;
  if (digits.length <= point) return digits.padEnd(point, "0");
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}
