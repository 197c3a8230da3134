import { identifierEnd, isDigit } from "./characters.ts";
import type { Lexer } from "./lexer.ts";
import { strangeCharacter } from "./strange-character.ts";
import type { Punctuation } from "./token.ts";

const ALL_PUNCTUATION: readonly Punctuation[] = [
  ...(["...", "==", "=>", "!=", ">=", "<=", "&&", "||", "::"] as const),
  ...(["[", "]", "(", ")", ".", ",", "*", "/", "%", "+", "-", "=", "<", ">", "!", "?", ":"] as const),
];
/** By the code of their first character, the longest first. */
const PUNCTUATION = new Map<number, Punctuation[]>();
for (const punctuation of ALL_PUNCTUATION) {
  const code = punctuation.charCodeAt(0);
  PUNCTUATION.set(code, [...(PUNCTUATION.get(code) ?? []), punctuation]);
}

/** Adds the tokens of code, up to where a template begins or the code of a sequence ends. */
export function scanCode(lexer: Lexer, closingBraces: number | undefined): void {
  const { text } = lexer;
  while (lexer.offset < text.length) {
    const start = lexer.offset;
    const code = text.charCodeAt(start);
    if (code === 0x20 || code === 0x09) {
      lexer.offset++;
      continue;
    }
    const wordEnd = code >= 0x41 ? identifierEnd(text, start) : start;
    if (wordEnd > start) lexer.add("identifier", start, wordEnd);
    else if (isDigit(code)) lexer.add("number", start, numberEnd(text, start));
    else if (code === 0x22) {
      lexer.modes.push({ kind: "quoted", start });
      lexer.add("open quote", start, start + 1);
      return;
    } else if (scanBlank(lexer, code)) continue;
    else if (code === 0x3c && scanHeredocStart(lexer, start)) return;
    else if (code >= 0x7b && scanBrace(lexer, closingBraces)) return;
    else if (lexer.offset === start) scanPunctuation(lexer, code);
  }
}

/** @returns whether there was a comment or the end of a line. */
function scanBlank(lexer: Lexer, code: number): boolean {
  const { text, offset: start } = lexer;
  switch (code) {
    case 0x0a:
    case 0x0d: {
      const length = lineEndLength(text, start);
      if (length > 0) lexer.add("newline", start, start + length);
      return length > 0;
    }
    case 0x23:
      skipLine(lexer, start);
      return true;
    case 0x2f: {
      const second = text.charCodeAt(start + 1);
      if (second === 0x2f) skipLine(lexer, start);
      else if (second === 0x2a) skipComment(lexer, start);
      return lexer.offset > start;
    }
    default:
      return false;
  }
}

function skipLine(lexer: Lexer, start: number): void {
  const end = lexer.text.indexOf("\n", start);
  if (end === -1) lexer.offset = lexer.text.length;
  else lexer.add("newline", end, end + 1);
}

function skipComment(lexer: Lexer, start: number): void {
  const end = lexer.text.indexOf("*/", start + 2);
  if (end !== -1) lexer.offset = end + 2;
  else lexer.addInvalid(start, lexer.text.length, { message: 'This comment has no closing "*/"' });
}

/** @returns 0 if no line ends at `offset`. */
export function lineEndLength(text: string, offset: number): 0 | 1 | 2 {
  if (text.charCodeAt(offset) === 0x0a) return 1;
  return text.charCodeAt(offset) === 0x0d && text.charCodeAt(offset + 1) === 0x0a ? 2 : 0;
}

/** A point belongs to a number only if more of the number follows: `1...` is 1 and an ellipsis. */
function numberEnd(text: string, start: number): number {
  let end = start;
  for (let offset = start; ; ) {
    const code = text.charCodeAt(offset);
    if (isDigit(code)) end = ++offset;
    else if (code === 0x2e) offset++;
    else if ((code | 0x20) === 0x65) {
      const next = text.charCodeAt(offset + 1);
      const digit = next === 0x2b || next === 0x2d ? offset + 2 : offset + 1;
      if (!isDigit(text.charCodeAt(digit))) return end;
      offset = digit;
    } else return end;
  }
}

function scanHeredocStart(lexer: Lexer, start: number): boolean {
  const { text } = lexer;
  if (!text.startsWith("<<", start)) return false;
  const markerStart = text[start + 2] === "-" ? start + 3 : start + 2;
  const markerEnd = identifierEnd(text, markerStart);
  const lineEnd = lineEndLength(text, markerEnd);
  if (markerEnd === markerStart || lineEnd === 0) return false;
  lexer.modes.push({ kind: "heredoc", start, marker: text.slice(markerStart, markerEnd), isLineStart: true });
  lexer.add("open heredoc", start, markerEnd + lineEnd);
  return true;
}

/** @returns whether the code of a sequence ends here. */
function scanBrace(lexer: Lexer, closingBraces: number | undefined): boolean {
  const { text, offset } = lexer;
  if (text[offset] === "{") {
    lexer.braces++;
    lexer.add("{", offset, offset + 1);
    return false;
  }
  const length = text.startsWith("~}", offset) ? 2 : text[offset] === "}" ? 1 : 0;
  if (length === 0) return false;
  const isEnd = closingBraces === lexer.braces;
  lexer.braces--;
  // A "~}" that ends nothing is told by the parser, which knows what is open.
  lexer.add(isEnd || length === 2 ? "close sequence" : "}", offset, offset + length);
  if (isEnd) lexer.modes.pop();
  return isEnd;
}

function scanPunctuation(lexer: Lexer, code: number): void {
  const { text, offset: start } = lexer;
  for (const punctuation of PUNCTUATION.get(code) ?? []) {
    if (!text.startsWith(punctuation, start)) continue;
    lexer.add(punctuation, start, start + punctuation.length);
    return;
  }
  const { length, complaint } = strangeCharacter(text, start);
  lexer.addInvalid(start, start + length, complaint);
}
