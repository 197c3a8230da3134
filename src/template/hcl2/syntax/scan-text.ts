import { trimSpace } from "./characters.ts";
import type { Lexer, Mode } from "./lexer.ts";
import { strangeCharacter } from "./strange-character.ts";

const DOLLAR = 0x24;
const PERCENT = 0x25;
const BRACE = 0x7b;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;

/** What is not only itself in a quoted text. */
const QUOTED_STOP = /["\\$%\n\r]/g;

/** Adds the texts of a quoted template, up to its end or the next sequence. */
export function scanQuoted(lexer: Lexer, start: number): void {
  const { text } = lexer;
  QUOTED_STOP.lastIndex = lexer.offset;
  while (QUOTED_STOP.test(text)) {
    const offset = QUOTED_STOP.lastIndex - 1;
    const code = text.charCodeAt(offset);
    if (code === QUOTE) {
      addText(lexer, offset);
      lexer.modes.pop();
      lexer.add("close quote", offset, offset + 1);
      return;
    }
    if (isLineEnd(code) || (code === BACKSLASH && isLineEnd(text.charCodeAt(offset + 1)))) {
      endUnclosed(lexer, start, offset);
      return;
    }
    if (code === BACKSLASH) QUOTED_STOP.lastIndex = offset + 2;
    else {
      addText(lexer, offset);
      if (scanSign(lexer)) return;
      QUOTED_STOP.lastIndex = lexer.offset;
    }
  }
  addText(lexer, text.length);
}

/** A quoted text that is open at the end of its line: all quotes that are open are, since what follows is none of it. */
export function endUnclosed(lexer: Lexer, start: number, offset: number): void {
  const outer = lexer.modes.findLastIndex(({ kind }) => kind === "heredoc") + 1;
  const firstQuote = lexer.modes.findIndex((mode, index) => index >= outer && mode.kind === "quoted");
  const sequence = lexer.modes[firstQuote + 1];
  lexer.modes.length = firstQuote;
  if (sequence?.kind === "code") {
    lexer.braces = (sequence.closingBraces ?? 1) - 1;
    const opener = lexer.text.slice(sequence.start, sequence.start + 2);
    lexer.addInvalid(sequence.start, offset, {
      message: `This "${opener}" has no closing "}" in its text`,
      hint: `A "${opener}" that is no template is written "${opener[0]}${opener}"`,
    });
    return;
  }
  const hint = "A text of more than one line is a heredoc: <<EOT";
  lexer.addInvalid(start, offset, { message: 'This text has no closing " in its line', hint });
}

/** Adds the texts of a heredoc line by line, up to its end or the next sequence. */
export function scanHeredoc(lexer: Lexer, mode: Extract<Mode, { kind: "heredoc" }>): void {
  const { text } = lexer;
  while (lexer.offset < text.length) {
    if (mode.isLineStart && scanHeredocEnd(lexer, mode.marker)) return;
    mode.isLineStart = false;
    let offset = lexer.offset;
    while (offset < text.length && !isHeredocStop(text, offset)) offset++;
    if (text.charCodeAt(offset) === 0x0a) {
      offset++;
      mode.isLineStart = true;
    }
    addText(lexer, offset);
    if (mode.isLineStart || offset >= text.length) continue;
    if (text.charCodeAt(offset) === 0x0d) {
      lexer.addInvalid(offset, offset + 1, strangeCharacter(text, offset).complaint);
    } else if (scanSign(lexer)) return;
  }
}

/** At the end of a line, at what may be a sequence, or at what no line may have in it. */
function isHeredocStop(text: string, offset: number): boolean {
  const code = text.charCodeAt(offset);
  if (code === 0x0d) return text.charCodeAt(offset + 1) !== 0x0a;
  return code === 0x0a || code === DOLLAR || code === PERCENT;
}

/** @returns whether this line ends the heredoc. */
function scanHeredocEnd(lexer: Lexer, marker: string): boolean {
  const { text, offset } = lexer;
  const newline = text.indexOf("\n", offset);
  // Without an end of its line it ends nothing, for Packer too.
  if (newline === -1) return false;
  const line = text.slice(offset, newline);
  if (trimSpace(line) !== marker) return false;
  lexer.modes.pop();
  const lineEnd = text.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline;
  lexer.add("close heredoc", offset, lineEnd);
  lexer.add("newline", lineEnd, newline + 1);
  return true;
}

/** Adds the texts of a template that is neither quoted nor a heredoc, up to its next sequence. */
export function scanTemplate(lexer: Lexer): void {
  const { text } = lexer;
  while (lexer.offset < text.length) {
    let offset = lexer.offset;
    let isLineEnd = false;
    for (; offset < text.length && !isLineEnd; offset++) {
      const code = text.charCodeAt(offset);
      if (code === DOLLAR || code === PERCENT) break;
      isLineEnd = code === 0x0a;
    }
    addText(lexer, offset);
    if (!isLineEnd && offset < text.length && scanSign(lexer)) return;
  }
}

/**
 * At a "$" or "%": a sequence begins, or it is one that is escaped, or it is only a character. Each is a token of its own,
 * since a "~" trims only the token next to it.
 *
 * @returns whether a sequence begins.
 */
function scanSign(lexer: Lexer): boolean {
  const { text, offset } = lexer;
  const sign = text.charCodeAt(offset);
  if (text.charCodeAt(offset + 1) === BRACE) {
    lexer.enterSequence(sign === DOLLAR ? "open interpolation" : "open directive");
    return true;
  }
  const isEscaped = text.charCodeAt(offset + 1) === sign && text.charCodeAt(offset + 2) === BRACE;
  const length = !isEscaped ? 1 : text[offset + 3] === "~" ? 4 : 3;
  lexer.add("text", offset, offset + length);
  return false;
}

function addText(lexer: Lexer, end: number): void {
  if (end > lexer.offset) lexer.add("text", lexer.offset, end);
}

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}
