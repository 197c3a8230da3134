// Binary floating-point numbers in decimal, digit by digit, as Go's strconv and math/big write them.

/** `0.d1d2d3… × 10^exponent`, exact. */
export interface Decimal {
  readonly isNegative: boolean;
  /** Without zeros at either end: "" is zero. */
  readonly digits: string;
  readonly exponent: number;
}

/** A binary floating-point number, `mantissa × 2^exponent`, whose mantissa has `precisionBits`, or less for a round one. */
export interface BinaryFloat {
  readonly isNegative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  /** 53 for float64, 512 for the numbers of HCL2. */
  readonly precisionBits: number;
}

const FLOAT64_BITS = 53;

/** @param value is finite. */
export function binaryOfFloat64(value: number): BinaryFloat {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  return {
    isNegative: bits >> 63n === 1n,
    mantissa: biased === 0 ? fraction : fraction | (1n << 52n),
    exponent: Math.max(biased, 1) - 1075,
    precisionBits: FLOAT64_BITS,
  };
}

/** All digits: a binary number always ends in decimal, too. */
export function exactDecimal({ isNegative, mantissa, exponent }: BinaryFloat): Decimal {
  if (exponent >= 0) return decimal(isNegative, mantissa << BigInt(exponent), 0);
  // m / 2^k is m × 5^k / 10^k.
  return decimal(isNegative, mantissa * 5n ** BigInt(-exponent), exponent);
}

/** As few digits as tell the number from its neighbours of the same precision, the nearest to it of those. */
export function shortestDecimal(float: BinaryFloat): Decimal {
  const exact = exactDecimal(float);
  if (exact.digits === "") return exact;
  const { mantissa, exponent, isNegative, precisionBits } = float;
  // With a full mantissa: the neighbours are half a unit of its last bit away, which has two more bits here.
  const missingBits = precisionBits - bitLength(mantissa);
  const isSubnormal = precisionBits === FLOAT64_BITS && exponent - missingBits < -1074;
  const shift = isSubnormal ? exponent + 1074 : missingBits;
  const full = mantissa << BigInt(shift);
  const unit = { isNegative, exponent: exponent - shift - 2, precisionBits };
  // Below a power of two the numbers are twice as dense.
  const isPowerOfTwo = full === 1n << BigInt(precisionBits - 1);
  const lower = exactDecimal({ ...unit, mantissa: 4n * full - (isPowerOfTwo ? 1n : 2n) });
  const upper = exactDecimal({ ...unit, mantissa: 4n * full + 2n });
  const isInclusive = full % 2n === 0n;
  return between(exact, lower, upper, isInclusive);
}

/** The shortest number between two bounds that starts as `exact` does, the last digit rounded. */
function between(exact: Decimal, lower: Decimal, upper: Decimal, isInclusive: boolean): Decimal {
  for (let digitCount = 1; digitCount < exact.digits.length; digitCount++) {
    const down = cut(exact, digitCount);
    const up = increment(down, digitCount);
    const fits = (candidate: Decimal) => {
      const [low, high] = [compare(lower, candidate), compare(candidate, upper)];
      return isInclusive ? low <= 0 && high <= 0 : low < 0 && high < 0;
    };
    const [isDownGood, isUpGood] = [fits(down), fits(up)];
    if (isDownGood && isUpGood) return roundDecimal(exact, digitCount);
    if (isDownGood) return down;
    if (isUpGood) return up;
  }
  return exact;
}

/** To so many digits from the first one, which may be none or less; a tie goes to the even digit. */
export function roundDecimal(exact: Decimal, digitCount: number): Decimal {
  const { digits, isNegative } = exact;
  if (digitCount >= digits.length) return exact;
  if (digitCount < 0) return { isNegative, digits: "", exponent: 0 };
  const next = digits.charCodeAt(digitCount) - 48;
  const isTie = next === 5 && digits.length === digitCount + 1;
  const isOdd = digitCount > 0 && digits.charCodeAt(digitCount - 1) % 2 === 1;
  const isUp = isTie ? isOdd : next >= 5;
  const down = cut(exact, digitCount);
  return isUp ? increment(down, digitCount) : down;
}

function cut({ isNegative, digits, exponent }: Decimal, digitCount: number): Decimal {
  const kept = digits.slice(0, digitCount).replace(/0+$/, "");
  return { isNegative, digits: kept, exponent: kept === "" && digitCount > 0 ? 0 : exponent };
}

/** Adds one to the digit at `digitCount`. */
function increment({ isNegative, digits, exponent }: Decimal, digitCount: number): Decimal {
  const sum = (BigInt(digits.padEnd(digitCount, "0") || "0") + 1n).toString();
  return { isNegative, digits: sum.replace(/0+$/, ""), exponent: exponent + (sum.length > digitCount ? 1 : 0) };
}

/** Of magnitudes. */
function compare(a: Decimal, b: Decimal): number {
  if (a.digits === "" || b.digits === "") return Number(a.digits !== "") - Number(b.digits !== "");
  if (a.exponent !== b.exponent) return a.exponent - b.exponent;
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -1 : 1;
}

function decimal(isNegative: boolean, integer: bigint, tens: number): Decimal {
  if (integer === 0n) return { isNegative, digits: "", exponent: 0 };
  const text = integer.toString();
  return { isNegative, digits: text.replace(/0+$/, ""), exponent: text.length + tens };
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return (hex.length - 1) * 4 + 32 - Math.clz32(Number.parseInt(hex.charAt(0), 16));
}
