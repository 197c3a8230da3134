import { numberOf, numberText } from "./number-text.ts";
import { isWhole, type Rational } from "./rational.ts";
import { type HclValue, UNKNOWN } from "./value.ts";

/** How `packer console` prints a value: texts bare, but quoted within a list or an object. */
export function printValue(value: HclValue): string {
  return typeof value.content === "string" ? value.content : printed(value, "");
}

function printed({ content }: HclValue, indent: string): string {
  if (content === UNKNOWN) return "<unknown>";
  if (content === null) return "null";
  if (typeof content === "string") return quoted(content);
  if (typeof content === "boolean") return String(content);
  if ("numerator" in content) return printNumber(content);
  if (content instanceof Map) return printEntries(content, indent);
  return printItems(content as readonly HclValue[], indent);
}

function printItems(items: readonly HclValue[], indent: string): string {
  if (items.length === 0) return "[]";
  return `[\n${items.map((item) => `${indent}  ${printed(item, `${indent}  `)},\n`).join("")}${indent}]`;
}

/** An entry that is null is not printed: so does Packer. */
function printEntries(entries: ReadonlyMap<string, HclValue>, indent: string): string {
  const shown = [...entries].filter(([, entry]) => entry.content !== null);
  if (shown.length === 0) return "{}";
  const lines = shown.map(([key, entry]) => `${indent}  ${quoted(key)} = ${printed(entry, `${indent}  `)}\n`);
  return `{\n${lines.join("")}${indent}}`;
}

/** Whole numbers of 64 bits exactly, all others as Go prints a double: `1e+30`, `1.2345675e+06`. */
function printNumber(number: Rational): string {
  if (isWhole(number) && BigInt.asIntN(64, number.numerator) === number.numerator) return numberText(number);
  const double = numberOf(number);
  if (!Number.isFinite(double)) return double > 0 ? "+Inf" : "-Inf";
  const [mantissa = "", exponentText = "0"] = double.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < GO_EXPONENT_MIN) return double.toString();
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** From this power of ten on, Go's shortest form has an exponent. */
const GO_EXPONENT_MIN = 6;

const GO_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** As Go's %q: what cannot be seen is escaped. */
export function quoted(text: string): string {
  const escaped = text.replace(/["\\]|(?! )[\p{C}\p{Z}]/gu, (letter) => GO_ESCAPES[letter] ?? goEscape(letter));
  return `"${escaped}"`;
}

function goEscape(letter: string): string {
  const code = letter.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
