// As the decoder of Packer's JSON templates converts: https://pkg.go.dev/github.com/mitchellh/mapstructure, with
// WeaklyTypedInput.
import { GO_BOOLEANS } from "../../base/go-booleans.ts";
import type { JsonBoolean, JsonNumber } from "../../base/json/json-value.ts";
import { formatFloat } from "../go-format/float.ts";
import type { Conversion } from "./conversion.ts";

export const WEAK: Conversion = { isWeak: true, toText, toNumber, toBoolean };

function toText(value: JsonNumber | JsonBoolean): string {
  if (value.kind === "boolean") return value.value ? "1" : "0";
  // As written: an account id must not become 1.2e11.
  return /^-?\d+$/.test(value.text) ? value.text : formatFloat(value.value, "f", -1);
}

function toNumber(content: string | number | boolean): number | undefined {
  if (typeof content !== "string") return typeof content === "number" ? content : undefined;
  if (content === "") return 0;
  // A fraction is told of by the schema, which wants whole numbers.
  if (/^[+-]?\d+\.\d+$/.test(content)) return Number(content);
  return wholeNumber(content);
}

/** As Go's strconv.ParseInt reads it: 0x1f, 0b11, and 0o17 or 017 with eight digits. */
function wholeNumber(text: string): number | undefined {
  const match = /^([+-]?)(?:([1-9]\d*|0)|0[oO]?([0-7]+)|(0[xX][\dA-Fa-f]+|0[bB][01]+))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, decimal, octal, prefixed] = match;
  const size = octal === undefined ? Number(decimal ?? prefixed) : Number.parseInt(octal, 8);
  return sign === "-" ? -size : size;
}

function toBoolean(content: string | number | boolean): boolean | "" | undefined {
  if (typeof content === "boolean" || content === "") return content;
  return GO_BOOLEANS.get(String(content));
}
