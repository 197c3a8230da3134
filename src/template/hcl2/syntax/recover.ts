import type { Token, TokenKind } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

const OPENERS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  ...(["{", "[", "(", "open quote", "open heredoc", "open interpolation", "open directive"] as const),
]);
const CLOSERS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  ...(["}", "]", ")", "close quote", "close heredoc", "close sequence"] as const),
]);

/**
 * Goes to where the next item of a body probably begins, behind one that could not be parsed.
 *
 * That is the line behind its brackets; or, if they are never closed, a line that looks like an item and is not indented
 * deeper: people indent what is inside of brackets.
 *
 * @param itemIndex the index of the item's first token.
 */
export function recover(cursor: TokenCursor, itemIndex: number): void {
  const failureIndex = Math.max(cursor.index, itemIndex + 1);
  const indent = columnOf(cursor, cursor.at(itemIndex));
  let depth = 0;
  for (let index = itemIndex; ; index++) {
    const token = cursor.at(index);
    const isBehind = index >= failureIndex;
    const isEnd =
      token.kind === "end of file" ||
      (isBehind &&
        token.kind === "}" &&
        (depth <= 0 || (isFirstInLine(cursor, index) && columnOf(cursor, token) < indent))) ||
      (isBehind && isItemStart(cursor, index) && (depth <= 0 || columnOf(cursor, token) <= indent));
    if (isEnd) {
      cursor.index = index;
      return;
    }
    if (OPENERS.has(token.kind)) depth++;
    else if (CLOSERS.has(token.kind)) depth--;
  }
}

/** Whether a line begins here that looks like `name = …`, `name "label" … {` or `name {`. */
function isItemStart(cursor: TokenCursor, index: number): boolean {
  if (!isFirstInLine(cursor, index) || cursor.at(index).kind !== "identifier") return false;
  const second = cursor.at(index + 1).kind;
  return second === "=" || second === "{" || second === "open quote" || second === "identifier";
}

function isFirstInLine(cursor: TokenCursor, index: number): boolean {
  return index > 0 && cursor.at(index - 1).kind === "newline";
}

/** In UTF-16 code units, from the start of the line. */
export function columnOf(cursor: TokenCursor, token: Pick<Token, "start">): number {
  return token.start - (cursor.source.text.lastIndexOf("\n", token.start - 1) + 1);
}
