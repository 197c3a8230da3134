import type { GoValue } from "../go-format/format.ts";
import { goTypeName } from "../go-format/format-value.ts";
import { TemplateFunctionError } from "./template-function.ts";

/** In bytes, or in entries. */
export function lengthOf(value: GoValue): bigint {
  if (typeof value === "string") return BigInt(Buffer.byteLength(value));
  if (value instanceof Map) return BigInt(value.size);
  throw new TemplateFunctionError(`Only a text and a map have a length, not ${goTypeName(value)}`);
}

/** The entry of a map, or a byte of a text. */
export function indexValue(value: GoValue, ...indexes: readonly GoValue[]): GoValue {
  if (value === null) throw new TemplateFunctionError("What is not there has no index");
  return indexes.reduce(indexOnce, value);
}

function indexOnce(value: GoValue, index: GoValue): GoValue {
  if (value instanceof Map) {
    if (typeof index !== "string")
      throw new TemplateFunctionError(`The keys of a map are texts, not ${goTypeName(index)}`);
    return value.get(index) ?? "";
  }
  if (typeof value !== "string")
    throw new TemplateFunctionError(`Only a text and a map have an index, not ${goTypeName(value)}`);
  const bytes = Buffer.from(value);
  const byte = bytes[indexOf(index, { maximum: bytes.length - 1 })];
  return BigInt(byte ?? 0);
}

/** The bytes of a text from one place up to another. */
export function sliceText(value: GoValue, ...places: readonly GoValue[]): string {
  if (typeof value !== "string") throw new TemplateFunctionError(`Only a text can be sliced, not ${goTypeName(value)}`);
  if (places.length > 2) throw new TemplateFunctionError("A text is sliced at two places at most");
  const bytes = Buffer.from(value);
  const [start = 0, end = bytes.length] = places.map((place) => indexOf(place, { maximum: bytes.length }));
  if (start > end) throw new TemplateFunctionError(`Cannot slice from ${start} to ${end}`);
  const cut = bytes.subarray(start, end);
  const text = cut.toString();
  if (Buffer.compare(Buffer.from(text), cut) === 0) return text;
  throw new TemplateFunctionError(`Cannot slice from ${start} to ${end}: it would cut a character in two`);
}

function indexOf(index: GoValue, { maximum }: { maximum: number }): number {
  if (typeof index !== "bigint")
    throw new TemplateFunctionError(`An index is a whole number, not ${goTypeName(index)}`);
  if (index >= 0n && index <= BigInt(maximum)) return Number(index);
  throw new TemplateFunctionError(`The index ${index} is out of range: it goes from 0 to ${maximum}`);
}
