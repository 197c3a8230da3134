import { TemplateText } from "./template-text.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ['"', '"'],
  ["\\", "\\"],
]);
const ESCAPES = '\\n \\r \\t \\" \\\\ \\uNNNN \\UNNNNNNNN';

/** The text of a token of a template. @param isQuoted whether a backslash escapes in it. */
export function decodeText(cursor: TokenCursor, token: Token, isQuoted: boolean): TemplateText {
  const raw = cursor.textOf(token);
  const text = new TemplateText();
  if (isEscapedSign(raw)) {
    text.append(raw.slice(1), token.start + 1);
    return text;
  }
  let start = 0;
  for (let at = isQuoted ? raw.indexOf("\\") : -1; at !== -1; at = raw.indexOf("\\", start)) {
    if (at > start) text.append(raw.slice(start, at), token.start + start);
    const { character, length } = decodeEscape(cursor, raw, { at, offset: token.start + at });
    text.append(character, token.start + at);
    start = at + length;
  }
  if (start < raw.length || raw.length === 0) text.append(raw.slice(start), token.start + start);
  return text;
}

/** `$${` or `%%{`, which the lexer makes a token of its own. */
function isEscapedSign(raw: string): boolean {
  return (raw.length === 3 || raw.length === 4) && (raw.startsWith("$${") || raw.startsWith("%%{"));
}

function decodeEscape(
  cursor: TokenCursor,
  raw: string,
  { at, offset }: { at: number; offset: number },
): { character: string; length: number } {
  const selector = raw[at + 1] ?? "";
  const simple = SIMPLE_ESCAPES.get(selector);
  if (simple !== undefined) return { character: simple, length: 2 };
  if (selector !== "u" && selector !== "U") {
    const shown = String.fromCodePoint(raw.codePointAt(at + 1) ?? 0xfffd);
    const hint = `A backslash itself is "\\\\"; the escapes are ${ESCAPES}`;
    cursor.fail({ start: offset }, { message: `"\\${shown}" is no escape`, hint });
  }
  const digitCount = selector === "u" ? 4 : 8;
  const digits = raw.slice(at + 2, at + 2 + digitCount);
  if (digits.length < digitCount || !/^[0-9a-fA-F]+$/.test(digits)) {
    cursor.fail({ start: offset }, { message: `"\\${selector}" needs ${digitCount} hexadecimal digits behind it` });
  }
  const codePoint = Number.parseInt(digits, 16);
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) {
    const hint = selector === "u" ? "A character beyond U+FFFF is \\U and eight digits" : undefined;
    cursor.fail({ start: offset }, { message: `"\\${selector}${digits}" is no character of Unicode`, hint });
  }
  return { character: String.fromCodePoint(codePoint), length: 2 + digitCount };
}
