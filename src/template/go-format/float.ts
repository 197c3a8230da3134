// Go's strconv.FormatFloat: https://pkg.go.dev/strconv#FormatFloat
import { binaryOfFloat64 } from "./decimal.ts";
import { floatText } from "./format-number.ts";

/** How a number is written: as `%e`, `%f`, `%g`, `%b` or `%x` do; `E`, `G` and `X` in capitals. */
export type FloatFormat = "e" | "E" | "f" | "g" | "G" | "b" | "x" | "X";

/**
 * A fraction as Go writes it, with its sign if it is negative.
 *
 * @param precision digits after the point, of `g` all digits; -1 is as few as tell it from all others.
 */
export function formatFloat(value: number, format: FloatFormat, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const binary = binaryOfFloat64(value);
  const sign = binary.isNegative ? "-" : "";
  switch (format) {
    case "b":
      return `${sign}${binary.mantissa}p${signed(binary.exponent)}`;
    case "x":
      return sign + formatHex(binary, precision);
    case "X":
      return sign + formatHex(binary, precision).toUpperCase();
    default:
      return floatText(binary, format, precision < 0 ? "shortest" : precision);
  }
}

/** `+06`: at least two digits. */
function signed(exponent: number): string {
  return `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** `0x1.8p+01` */
function formatHex(float: { mantissa: bigint; exponent: number }, precision: number): string {
  let { mantissa, exponent } = float;
  if (mantissa === 0n) return `0x0${precision > 0 ? `.${"0".repeat(precision)}` : ""}p+00`;
  // One bit before the point, 52 after it.
  while (mantissa < 1n << 52n) {
    mantissa <<= 1n;
    exponent--;
  }
  if (precision >= 0 && precision < 13) {
    const dropped = BigInt(52 - 4 * precision);
    const half = 1n << (dropped - 1n);
    const rest = mantissa & ((1n << dropped) - 1n);
    mantissa >>= dropped;
    if (rest > half || (rest === half && mantissa % 2n === 1n)) mantissa++;
    mantissa <<= dropped;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, "0").replace(/0+$/, "");
  const fraction = precision < 0 ? digits : digits.slice(0, precision).padEnd(precision, "0");
  return `0x1${fraction === "" ? "" : `.${fraction}`}p${signed(exponent + 52)}`;
}
