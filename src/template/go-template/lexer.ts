import { parseNumber } from "./number-literal.ts";
import { readCharacterLiteral, readQuotedString } from "./string-literal.ts";
import { GoTemplateError } from "./syntax.ts";

export type Token = {
  readonly offset: number;
  /** Whether blanks stand before it: they are what parts operands. */
  readonly isAfterSpace: boolean;
} & (
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: bigint | number; readonly text: string }
  | { readonly kind: "identifier"; readonly name: string }
  | { readonly kind: "dot" }
  /** `.Name` */
  | { readonly kind: "field"; readonly name: string }
  /** `$`, `$x` */
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "punctuation"; readonly text: Punctuation }
  | { readonly kind: "end" }
);

type Punctuation = "|" | "(" | ")" | "=" | ":=" | ",";

/** Text, or the tokens of one action, which always end with an `end` token. */
export type Piece = string | { readonly offset: number; readonly tokens: readonly Token[] };

// Parentheses and pipelines are read, and later evaluated, by functions that call themselves.
const TOKENS_MAX = 500;

const TRIMMED_SPACE = " \t\r\n";

/**
 * Cuts a template string into its text and its actions. Comments are gone and
 * trim markers have been obeyed.
 *
 * @param leavesFields whether `{{.Name}}` is text.
 * @throws {GoTemplateError}
 */
export function splitTemplate(source: string, leavesFields: boolean): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  let trimStart = false;
  for (;;) {
    const open = nextAction(source, position, leavesFields);
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

/** Where the next action opens, or -1. */
function nextAction(source: string, position: number, leavesFields: boolean): number {
  let open = source.indexOf("{{", position);
  while (leavesFields && open !== -1) {
    FIELD_ACTION.lastIndex = open;
    if (!FIELD_ACTION.test(source)) break;
    open = source.indexOf("{{", FIELD_ACTION.lastIndex);
  }
  return open;
}

// Packer's own pattern, at one place.
const FIELD_ACTION = /\{\{\s?\..*?\}\}/y;

// `{{- ` and ` -}}`: the space is part of the marker, so that `{{-1}}` is a number.
function isTrimMarker(source: string, dash: number, space: number): boolean {
  return source[dash] === "-" && TRIMMED_SPACE.includes(source[space] ?? "x");
}

function trimText(text: string, ends: { start: boolean; end: boolean }): string {
  let kept = text;
  if (ends.start) kept = kept.replace(/^[ \t\r\n]+/, "");
  return ends.end ? withoutSpaceAtEnd(kept) : kept;
}

// Not by a pattern: it would be tried at each space anew.
function withoutSpaceAtEnd(text: string): string {
  let end = text.length;
  while (TRIMMED_SPACE.includes(text[end - 1] ?? "x")) end--;
  return text.slice(0, end);
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
    const before = position;
    while (TRIMMED_SPACE.includes(source[position] ?? "x")) position++;
    const isAfterSpace = position > before;
    const closing = closingAt(source, position);
    if (closing !== undefined) {
      tokens.push({ kind: "end", offset: position, isAfterSpace });
      return { tokens, ...closing };
    }
    if (position >= source.length) throw new GoTemplateError('Unclosed "{{"', open, BRACES_HINT);
    const { token, endOffset } = readToken(source, position);
    tokens.push({ ...token, offset: position, isAfterSpace });
    if (tokens.length > TOKENS_MAX)
      throw new GoTemplateError(`More than ${TOKENS_MAX} words between "{{" and "}}"`, open);
    position = endOffset;
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
  const isAtOnce = closing?.trimsRight === true ? position <= end + 3 : position === end + 2;
  if (closing === undefined || !isAtOnce) {
    throw new GoTemplateError("A comment must stand alone between its braces", open);
  }
  return { tokens: undefined, ...closing };
}

type BareToken = Token extends infer Each
  ? Each extends Token
    ? Omit<Each, "offset" | "isAfterSpace">
    : never
  : never;

interface ReadToken {
  readonly token: BareToken;
  readonly endOffset: number;
}

function readToken(source: string, offset: number): ReadToken {
  const character = source[offset] ?? "";
  if (character === '"') return readString(source, offset);
  if (character === "`") return readRawString(source, offset);
  if (character === "'") return readCharacter(source, offset);
  if (source.startsWith(":=", offset)) return punctuation(":=", offset);
  if ("|()=,".includes(character)) return punctuation(character as Punctuation, offset);
  const number = /^[+-]?\.?[0-9][0-9A-Za-z_.]*(?:(?<=[eEpP])[+-][0-9_]+)?/.exec(source.slice(offset));
  if (number !== null) return readNumber(number[0], source, offset);
  const word = /^(?:\$[\p{L}\p{Nd}_]*|\.[\p{L}_][\p{L}\p{Nd}_]*|\.|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(
    source.slice(offset),
  );
  if (word === null) throw new GoTemplateError(`Unexpected "${nextCharacter(source, offset)}"`, offset, BRACES_HINT);
  return readWord(word[0], source, offset);
}

function readWord(word: string, source: string, offset: number): ReadToken {
  const endOffset = offset + word.length;
  checkWordEnd(word, source, endOffset);
  return { token: wordToken(word), endOffset };
}

/** Go wants a blank or an operator after a word: `printf"%d"` is none. */
function checkWordEnd(word: string, source: string, endOffset: number): void {
  const next = source[endOffset] ?? " ";
  if (`${TRIMMED_SPACE}|(),:.`.includes(next) || source.startsWith("}}", endOffset)) return;
  throw new GoTemplateError(`Unexpected "${nextCharacter(source, endOffset)}" after "${word}"`, endOffset);
}

function wordToken(word: string): BareToken {
  if (word.startsWith("$")) return { kind: "variable", name: word };
  if (word === ".") return { kind: "dot" };
  return word.startsWith(".") ? { kind: "field", name: word.slice(1) } : { kind: "identifier", name: word };
}

function readString(source: string, offset: number): ReadToken {
  const { value, endOffset } = readQuotedString(source, offset);
  return { token: { kind: "string", value }, endOffset };
}

function readRawString(source: string, offset: number): ReadToken {
  const end = source.indexOf("`", offset + 1);
  if (end === -1) throw new GoTemplateError("Unclosed string", offset);
  // Go drops carriage returns from raw strings.
  const value = source.slice(offset + 1, end).replaceAll("\r", "");
  return { token: { kind: "string", value }, endOffset: end + 1 };
}

function readCharacter(source: string, offset: number): ReadToken {
  const { value, endOffset } = readCharacterLiteral(source, offset);
  return { token: { kind: "number", value: BigInt(value), text: source.slice(offset, endOffset) }, endOffset };
}

function readNumber(text: string, source: string, offset: number): ReadToken {
  const value = parseNumber(text, offset);
  const endOffset = offset + text.length;
  if (/[\p{L}\p{Nd}_]/u.test(nextCharacter(source, endOffset))) {
    throw new GoTemplateError(`Not a number: "${text}${nextCharacter(source, endOffset)}"`, offset);
  }
  return { token: { kind: "number", value, text }, endOffset };
}

function punctuation(text: Punctuation, offset: number): ReadToken {
  return { token: { kind: "punctuation", text }, endOffset: offset + text.length };
}

function nextCharacter(source: string, offset: number): string {
  return String.fromCodePoint(source.codePointAt(offset) ?? 0x20);
}
