// Go's string and character literals: https://go.dev/ref/spec#String_literals
import { GoTemplateError } from "./syntax.ts";

const SINGLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** Reads `"…"` at `offset`. */
export function readQuotedString(source: string, offset: number): { value: string; endOffset: number } {
  return readUntil(source, offset, '"');
}

/** Reads `'x'` at `offset`; its value is the code point. */
export function readCharacterLiteral(source: string, offset: number): { value: number; endOffset: number } {
  const { value, endOffset } = readUntil(source, offset, "'");
  const [character, ...more] = [...value];
  if (character === undefined || more.length > 0) {
    throw new GoTemplateError("Single quotes hold one character; write a string in double quotes", offset);
  }
  return { value: character.codePointAt(0) ?? 0, endOffset };
}

function readUntil(source: string, offset: number, quote: '"' | "'"): { value: string; endOffset: number } {
  let value = "";
  let position = offset + 1;
  for (;;) {
    const character = source[position];
    if (character === undefined || character === "\n") throw new GoTemplateError("Unclosed string", offset);
    if (character === quote) return { value, endOffset: position + 1 };
    if (character !== "\\") {
      value += character;
      position++;
      continue;
    }
    const escaped = readEscape(source, position, quote);
    value += escaped.value;
    position = escaped.endOffset;
  }
}

function readEscape(source: string, offset: number, quote: string): { value: string; endOffset: number } {
  const letter = source[offset + 1] ?? "";
  const single = letter === quote ? quote : SINGLE_ESCAPES[letter];
  if (single !== undefined) return { value: single, endOffset: offset + 2 };
  const coded = /^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3}))/.exec(source.slice(offset));
  if (coded === null) throw new GoTemplateError(`Unknown escape "\\${letter}" in a string`, offset);
  const [all, byte, short, long, octal] = coded;
  const code = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? "", 16) : Number.parseInt(octal, 8);
  const isByte = byte !== undefined || octal !== undefined;
  // In Go these are raw bytes, which could only make text that is not UTF-8.
  if ((isByte && code > 0x7f) || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new GoTemplateError(`The escape "${all}" is not a character`, offset, "Write the character itself or \\u");
  }
  return { value: String.fromCodePoint(code), endOffset: offset + all.length };
}
