import { decodeText } from "./decode-text.ts";
import { removeIndent } from "./heredoc-indent.ts";
import { nestParts } from "./nest-parts.ts";
import { parseSequence, type Sequence } from "./parse-sequence.ts";
import type { TemplateExpression, TemplatePart } from "./syntax-tree.ts";
import type { TemplateText } from "./template-text.ts";
import type { Token, TokenKind } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** A piece of a template before "if" and "for" are put together with their ends. */
export type TemplatePiece =
  | Sequence
  | { readonly kind: "text"; readonly text: TemplateText; readonly range: TokenRange };

/** In UTF-16 code units. */
interface TokenRange {
  readonly start: number;
  readonly end: number;
}

export function parseQuoted(cursor: TokenCursor): TemplateExpression {
  const open = cursor.read();
  const parts = parseParts(cursor, { open, close: "close quote" });
  return { kind: "template", parts, range: cursor.rangeFrom(open.start) };
}

export function parseHeredoc(cursor: TokenCursor): TemplateExpression {
  const open = cursor.read();
  const parts = parseParts(cursor, { open, close: "close heredoc" });
  return { kind: "template", parts, range: cursor.rangeFrom(open.start) };
}

/** A whole text as a template. */
export function parseBareTemplate(cursor: TokenCursor): TemplateExpression {
  const parts = parseParts(cursor, { open: undefined, close: "end of file" });
  return { kind: "template", parts, range: cursor.rangeOf({ start: 0, end: cursor.source.text.length }) };
}

function parseParts(
  cursor: TokenCursor,
  { open, close }: { open: Token | undefined; close: TokenKind },
): TemplatePart[] {
  cursor.deepen();
  const pieces = parsePieces(cursor, close);
  if (open?.kind === "open heredoc" && cursor.source.text[open.start + 2] === "-") {
    removeIndent(pieces.map((piece) => (piece.kind === "text" ? piece.text : undefined)));
  }
  const parts = nestParts(cursor, meldTexts(pieces));
  cursor.depth--;
  return parts;
}

function parsePieces(cursor: TokenCursor, close: TokenKind): TemplatePiece[] {
  const pieces: TemplatePiece[] = [];
  let trimsNext = false;
  for (;;) {
    const token = cursor.peek();
    if (token.kind === close) {
      cursor.read();
      return pieces;
    }
    if (token.kind === "text") {
      cursor.read();
      const text = decodeText(cursor, token, close === "close quote");
      if (trimsNext) text.trimStart();
      trimsNext = false;
      pieces.push({ kind: "text", text, range: token });
    } else if (token.kind === "open interpolation" || token.kind === "open directive") {
      const previous = pieces.at(-1);
      if (token.end - token.start === 3 && previous?.kind === "text") previous.text.trimEnd();
      const sequence = parseSequence(cursor);
      trimsNext = sequence.trimsNext;
      pieces.push(sequence);
    } else cursor.fail(token, { message: "This text is not closed" });
  }
}

/** Texts next to each other become one: they were taken apart for the sake of trimming alone. */
function meldTexts(pieces: readonly TemplatePiece[]): TemplatePiece[] {
  const melded: TemplatePiece[] = [];
  for (const piece of pieces) {
    const previous = melded.at(-1);
    if (piece.kind !== "text" || previous?.kind !== "text") {
      melded.push(piece);
      continue;
    }
    previous.text.meld(piece.text);
    melded[melded.length - 1] = { ...previous, range: { start: previous.range.start, end: piece.range.end } };
  }
  return melded;
}
