// Go's number literals: https://go.dev/ref/spec#Integer_literals
import { GoTemplateError } from "./syntax.ts";

// Each underscore stands between digits, or between the prefix and a digit.
const DECIMAL = "[0-9](?:_?[0-9])*";
const HEX = "[0-9a-fA-F](?:_?[0-9a-fA-F])*";
const INTEGER = new RegExp(
  `^([+-]?)(?:(0[xX]_?${HEX})|(0[bB]_?[01](?:_?[01])*)|(0[oO]_?[0-7](?:_?[0-7])*)|(0(?:_?[0-7])+)|(0|[1-9](?:_?[0-9])*))$`,
);
const FRACTION = new RegExp(`^[+-]?(?:${DECIMAL}\\.?(?:${DECIMAL})?|\\.${DECIMAL})(?:[eE][+-]?${DECIMAL})?$`);
const HEX_FRACTION = new RegExp(`^([+-]?)0[xX]_?((?:${HEX})?)\\.?((?:${HEX})?)[pP]([+-]?${DECIMAL})$`);

const INTEGER_MIN = -(2n ** 63n);
const INTEGER_MAX = 2n ** 63n - 1n;

/**
 * @returns an integer as a bigint, a fraction as a number.
 * @throws {GoTemplateError}
 */
export function parseNumber(text: string, offset: number): bigint | number {
  const integer = integerOf(text);
  if (integer !== undefined) {
    if (integer >= INTEGER_MIN && integer <= INTEGER_MAX) return integer;
    throw new GoTemplateError(`The number ${text} does not fit into 64 bits`, offset);
  }
  const fraction = fractionOf(text);
  if (fraction !== undefined && Number.isFinite(fraction)) return fraction;
  if (text.endsWith("i")) throw new GoTemplateError(`The number ${text} is imaginary`, offset);
  throw new GoTemplateError(`Not a number: "${text}"`, offset);
}

function integerOf(text: string): bigint | undefined {
  const parts = INTEGER.exec(text.toLowerCase());
  if (parts === null) return undefined;
  const [, sign, hex, binary, octal, oldOctal, decimal] = parts;
  const digits = hex ?? binary ?? octal ?? (oldOctal === undefined ? decimal : `0o${oldOctal}`) ?? "";
  const size = BigInt(digits.replaceAll("_", ""));
  return sign === "-" ? -size : size;
}

function fractionOf(text: string): number | undefined {
  const hex = HEX_FRACTION.exec(text);
  if (hex !== null) return hexFraction(hex);
  // Without a point or an exponent it is meant for an integer, such as 08.
  return /[.eE]/.test(text) && FRACTION.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}

function hexFraction([, sign, whole = "", part = "", exponent = "0"]: RegExpExecArray): number | undefined {
  const digits = `${whole}${part}`.replaceAll("_", "");
  if (digits === "") return undefined;
  const size =
    Number(BigInt(`0x${digits}`)) * 2 ** (Number(exponent.replaceAll("_", "")) - 4 * part.replaceAll("_", "").length);
  return sign === "-" ? -size : size;
}
