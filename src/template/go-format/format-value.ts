import { compareText } from "./compare-text.ts";
import { type FloatFormat, formatFloat } from "./float.ts";
import type { GoValue } from "./format.ts";
import type { Flags } from "./printf-directive.ts";
import { canBackquote, goQuote, isPrintable } from "./quote.ts";

/** One value as a verb writes it; what the verb cannot write is told in the text, as Go does. */
export function formatValue(value: GoValue, verb: string, flags: Flags): string {
  // Of %v, "#" and "+" mean something else: Go's syntax.
  if (verb === "v") return formatAs(value, { verb, isSyntax: flags.sharp }, { ...flags, sharp: false, plus: false });
  return formatAs(value, { verb, isSyntax: false }, flags);
}

interface Form {
  readonly verb: string;
  /** Whether it is to be written as in a Go program. */
  readonly isSyntax: boolean;
}

function formatAs(value: GoValue, form: Form, flags: Flags): string {
  const { verb } = form;
  if (verb === "T") return pad(truncated(goTypeName(value), flags), flags);
  if (value === null && verb === "v") return pad("<nil>", flags);
  const text = value === null ? undefined : formatKnown(value, form, flags);
  return text ?? badVerb(value, verb, flags);
}

/** `undefined` if the verb is not for such a value. */
function formatKnown(value: NonNullable<GoValue>, { verb, isSyntax }: Form, flags: Flags): string | undefined {
  switch (typeof value) {
    case "string":
      return formatText(value, { verb, isSyntax }, flags);
    case "boolean":
      return verb === "t" || verb === "v" ? pad(String(value), flags) : undefined;
    case "bigint":
      return formatInteger(value, verb, flags);
    case "number":
      return formatFraction(value, verb, flags);
    case "object":
      return verb === "p" ? undefined : formatMap(value, { verb, isSyntax }, flags);
  }
}

/** Go's name of the type of a value. */
export function goTypeName(value: GoValue): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float64";
    default:
      return value === null ? "<nil>" : "map[string]string";
  }
}

/** `%!d(string=x)` */
function badVerb(value: GoValue, verb: string, flags: Flags): string {
  if (value === null) return `%!${verb}(<nil>)`;
  return `%!${verb}(${goTypeName(value)}=${formatAs(value, { verb: "v", isSyntax: false }, flags)})`;
}

function formatMap(value: ReadonlyMap<string, string>, form: Form, flags: Flags): string {
  const keys = [...value.keys()].sort(compareText);
  const texts = keys.map((key) => `${formatAs(key, form, flags)}:${formatAs(value.get(key) ?? "", form, flags)}`);
  return form.isSyntax ? `map[string]string{${texts.join(", ")}}` : `map[${texts.join(" ")}]`;
}

function formatText(text: string, { verb, isSyntax }: Form, flags: Flags): string | undefined {
  switch (verb) {
    case "v":
      return isSyntax ? quoted(text, flags) : pad(truncated(text, flags), flags);
    case "s":
      return pad(truncated(text, flags), flags);
    case "q":
      return quoted(text, flags);
    case "x":
    case "X":
      return hexBytes(text, verb, flags);
    default:
      return undefined;
  }
}

function truncated(text: string, { precision }: Flags): string {
  return precision === undefined ? text : [...text].slice(0, precision).join("");
}

function quoted(text: string, flags: Flags): string {
  const cut = truncated(text, flags);
  if (flags.sharp && canBackquote(cut)) return pad(`\`${cut}\``, flags);
  return pad(goQuote(cut, { quote: '"', isAscii: flags.plus }), flags);
}

function hexBytes(text: string, verb: "x" | "X", flags: Flags): string {
  const { sharp, space, precision } = flags;
  const bytes = Buffer.from(text).subarray(0, precision);
  if (bytes.length === 0) return pad("", flags);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const lower = space
    ? hex.map((digits) => (sharp ? `0x${digits}` : digits)).join(" ")
    : (sharp ? "0x" : "") + hex.join("");
  return pad(verb === "X" ? lower.toUpperCase() : lower, flags);
}

const BASES: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

function formatInteger(value: bigint, verb: string, flags: Flags): string | undefined {
  const base = BASES[verb];
  if (base !== undefined) return formatDigits(value, base, verb, flags);
  const code = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn) ? Number(value) : 0xfffd;
  const character = String.fromCodePoint(code);
  switch (verb) {
    case "c":
      return pad(character, flags);
    case "q":
      return pad(goQuote(character, { quote: "'", isAscii: flags.plus }), flags);
    case "U":
      return formatUnicode(value, flags);
    default:
      return undefined;
  }
}

function formatDigits(value: bigint, base: number, verb: string, flags: Flags): string {
  const { width, precision } = flags;
  const noZeros = { ...flags, zero: false };
  if (precision === 0 && value === 0n) return pad("", noZeros);
  const isNegative = value < 0n;
  const sign = isNegative ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  const zerosTo = precision ?? (flags.zero && width !== undefined ? width - sign.length : 0);
  const digits = (isNegative ? -value : value).toString(base).padStart(zerosTo, "0");
  const text = `${sign}${basePrefix(digits, base, verb, flags)}${digits}`;
  return pad(verb === "X" ? text.toUpperCase() : text, noZeros);
}

function basePrefix(digits: string, base: number, verb: string, { sharp }: Flags): string {
  if (verb === "O") return `0o${sharp && !digits.startsWith("0") ? "0" : ""}`;
  if (!sharp) return "";
  if (base === 8) return digits.startsWith("0") ? "" : "0";
  return base === 2 ? "0b" : base === 16 ? "0x" : "";
}

/** `U+0078`, with `#` also `U+0078 'x'`. */
function formatUnicode(value: bigint, flags: Flags): string {
  const unsigned = BigInt.asUintN(64, value);
  const digits = unsigned
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, flags.precision ?? 0), "0");
  const character = unsigned <= 0x10ffffn ? String.fromCodePoint(Number(unsigned)) : "";
  const shown = flags.sharp && character !== "" && isPrintable(character) ? ` '${character}'` : "";
  return pad(`U+${digits}${shown}`, { ...flags, zero: false });
}

const FLOAT_VERBS: Readonly<Record<string, { format: FloatFormat; precision: number }>> = {
  v: { format: "g", precision: -1 },
  b: { format: "b", precision: -1 },
  e: { format: "e", precision: 6 },
  E: { format: "E", precision: 6 },
  f: { format: "f", precision: 6 },
  F: { format: "f", precision: 6 },
  g: { format: "g", precision: -1 },
  G: { format: "G", precision: -1 },
  x: { format: "x", precision: -1 },
  X: { format: "X", precision: -1 },
};

function formatFraction(value: number, verb: string, flags: Flags): string | undefined {
  const how = FLOAT_VERBS[verb];
  if (how === undefined) return undefined;
  const precision = flags.precision ?? how.precision;
  const text = formatFloat(value, how.format, precision);
  const sign = /^[+-]/.test(text) ? text.charAt(0) : flags.plus ? "+" : flags.space ? " " : "";
  const size = text.replace(/^[+-]/, "");
  if (!Number.isFinite(value)) return pad(infiniteSign(value, flags, sign) + size, { ...flags, zero: false });
  const digits = flags.sharp && verb !== "b" ? withPoint(size, verb, precision) : size;
  const { zero, width = 0 } = flags;
  if (zero && sign !== "" && width > sign.length + digits.length) {
    return sign + digits.padStart(width - sign.length, "0");
  }
  return pad(sign + digits, flags);
}

/** Go always writes the sign of infinity, of what is no number only if one is asked for. */
function infiniteSign(value: number, { plus, space }: Flags, sign: string): string {
  if (Number.isNaN(value)) return sign;
  if (value < 0) return "-";
  return space && !plus ? " " : "+";
}

/** With "#" there is always a point, and %g keeps its zeros. */
function withPoint(text: string, verb: string, precision: number): string {
  const isHex = verb === "x" || verb === "X";
  const [, mantissa = "", exponent = ""] = (isHex ? /^(.*?)([pP].*)?$/ : /^(.*?)([eE].*)?$/).exec(text) ?? [];
  const pointed = mantissa.includes(".") ? mantissa : `${mantissa}.`;
  if (!"vgGxX".includes(verb)) return pointed + exponent;
  const wanted = precision < 0 ? 6 : precision;
  const isZero = mantissa === "0";
  const significant =
    mantissa
      .replace(".", "")
      .replace(/^0[xX]/, "")
      .replace(/^0+/, "").length + (isZero ? 1 : 0);
  return pointed + "0".repeat(Math.max(0, wanted - significant)) + exponent;
}

/** To the width, in characters. */
function pad(text: string, { width = 0, minus, zero }: Flags): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  return minus ? text + " ".repeat(missing) : (zero ? "0" : " ").repeat(missing) + text;
}
