import { readCharacterLiteral, readQuotedString } from "./string-literal.ts";
import { GoTemplateError } from "./syntax.ts";

export type Token = { readonly offset: number } & (
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "identifier"; readonly name: string }
  /** `.A.B`; a bare dot has no names. */
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "punctuation"; readonly text: "|" | "(" | ")" | "=" | ":=" | "," }
  | { readonly kind: "end" }
);

/** Text, or the tokens of one action, which always end with an `end` token. */
export type Piece = string | { readonly offset: number; readonly tokens: readonly Token[] };

const TRIMMED_SPACE = " \t\r\n";

/**
 * Cuts a template string into its text and its actions. Comments are gone and
 * trim markers have been obeyed.
 *
 * @throws {GoTemplateError}
 */
export function splitTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  let trimStart = false;
  for (;;) {
    const open = source.indexOf("{{", position);
    const text = source.slice(position, open === -1 ? undefined : open);
    const trimsLeft = open !== -1 && isTrimMarker(source, open + 2, open + 3);
    const kept = trimText(text, { start: trimStart, end: trimsLeft });
    if (kept !== "") pieces.push(kept);
    if (open === -1) return pieces;
    const action = readAction(source, open, trimsLeft ? open + 4 : open + 2);
    if (action.tokens !== undefined) pieces.push({ offset: open, tokens: action.tokens });
    trimStart = action.trimsRight;
    position = action.endOffset;
  }
}

// `{{- ` and ` -}}`: the space is part of the marker, so that `{{-1}}` is a number.
function isTrimMarker(source: string, dash: number, space: number): boolean {
  return source[dash] === "-" && TRIMMED_SPACE.includes(source[space] ?? "x");
}

function trimText(text: string, ends: { start: boolean; end: boolean }): string {
  let kept = text;
  if (ends.start) kept = kept.replace(/^[ \t\r\n]+/, "");
  if (ends.end) kept = kept.replace(/[ \t\r\n]+$/, "");
  return kept;
}

interface Action {
  /** Missing for a comment. */
  readonly tokens: readonly Token[] | undefined;
  readonly trimsRight: boolean;
  /** Just after the closing braces. */
  readonly endOffset: number;
}

function readAction(source: string, open: number, start: number): Action {
  if (source.startsWith("/*", start)) return readComment(source, open, start);
  const tokens: Token[] = [];
  let position = start;
  for (;;) {
    while (TRIMMED_SPACE.includes(source[position] ?? "x")) position++;
    const closing = closingAt(source, position);
    if (closing !== undefined) {
      tokens.push({ kind: "end", offset: position });
      return { tokens, ...closing };
    }
    if (position >= source.length) throw new GoTemplateError('Unclosed "{{"', open, BRACES_HINT);
    const token = readToken(source, position);
    tokens.push(token.token);
    position = token.endOffset;
  }
}

/** How to write braces that are not meant as a template. */
export const BRACES_HINT = 'To write "{{" as plain text, write {{`{{`}}';

function closingAt(source: string, position: number): Omit<Action, "tokens"> | undefined {
  if (source.startsWith("}}", position)) return { trimsRight: false, endOffset: position + 2 };
  const isTrim = source.startsWith("-}}", position) && TRIMMED_SPACE.includes(source[position - 1] ?? "x");
  return isTrim ? { trimsRight: true, endOffset: position + 3 } : undefined;
}

function readComment(source: string, open: number, start: number): Action {
  const end = source.indexOf("*/", start + 2);
  if (end === -1) throw new GoTemplateError("Unclosed comment", open);
  let position = end + 2;
  while (TRIMMED_SPACE.includes(source[position] ?? "x")) position++;
  // Go wants the closing braces right after the comment, or after one marker.
  const closing = closingAt(source, position);
  if (closing === undefined) throw new GoTemplateError("A comment must stand alone between its braces", open);
  return { tokens: undefined, ...closing };
}

interface ReadToken {
  readonly token: Token;
  readonly endOffset: number;
}

function readToken(source: string, offset: number): ReadToken {
  const character = source[offset] ?? "";
  if (character === '"') return literal("string", readQuotedString(source, offset), offset);
  if (character === "`") return readRawString(source, offset);
  if (character === "'") return literal("number", readCharacterLiteral(source, offset), offset);
  if (source.startsWith(":=", offset)) return punctuation(":=", offset);
  if ("|()=,".includes(character)) return punctuation(character as "|" | "(" | ")" | "=" | ",", offset);
  const number = /^[+-]?\.?[0-9][0-9A-Za-z_.]*(?:(?<=[eEpP])[+-][0-9_]+)?/.exec(source.slice(offset));
  if (number !== null) return readNumber(number[0], offset);
  const word = /^(?:\$[\p{L}\p{Nd}_]*|(?:\.[\p{L}_][\p{L}\p{Nd}_]*)+|\.|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(
    source.slice(offset),
  );
  if (word === null) throw new GoTemplateError(`Unexpected "${nextCharacter(source, offset)}"`, offset, BRACES_HINT);
  return readWord(word[0], source, offset);
}

function readWord(word: string, source: string, offset: number): ReadToken {
  const endOffset = offset + word.length;
  const next = source[endOffset] ?? " ";
  const isTerminated = `${TRIMMED_SPACE}|(),:=}`.includes(next) || next === ".";
  if (!isTerminated) {
    throw new GoTemplateError(`Unexpected "${nextCharacter(source, endOffset)}" after "${word}"`, endOffset);
  }
  if (word.startsWith("$")) return { token: { kind: "variable", name: word, offset }, endOffset };
  if (word.startsWith(".")) {
    return { token: { kind: "field", path: word.split(".").filter((name) => name !== ""), offset }, endOffset };
  }
  return { token: { kind: "identifier", name: word, offset }, endOffset };
}

function readRawString(source: string, offset: number): ReadToken {
  const end = source.indexOf("`", offset + 1);
  if (end === -1) throw new GoTemplateError("Unclosed string", offset);
  return { token: { kind: "string", value: source.slice(offset + 1, end), offset }, endOffset: end + 1 };
}

function readNumber(text: string, offset: number): ReadToken {
  const digits = text.replace(/^[+-]/, "").replaceAll("_", "");
  const isOldOctal = /^0[0-7]+$/.test(digits);
  const size = Number(isOldOctal ? `0o${digits}` : digits);
  if (Number.isNaN(size)) throw new GoTemplateError(`Not a number: "${text}"`, offset);
  return {
    token: { kind: "number", value: text.startsWith("-") ? -size : size, offset },
    endOffset: offset + text.length,
  };
}

function literal(
  kind: "string" | "number",
  read: { value: string | number; endOffset: number },
  offset: number,
): ReadToken {
  const token = { kind, value: read.value, offset } as Token;
  return { token, endOffset: read.endOffset };
}

function punctuation(text: "|" | "(" | ")" | "=" | ":=" | ",", offset: number): ReadToken {
  return { token: { kind: "punctuation", text, offset }, endOffset: offset + text.length };
}

function nextCharacter(source: string, offset: number): string {
  return String.fromCodePoint(source.codePointAt(offset) ?? 0x20);
}
