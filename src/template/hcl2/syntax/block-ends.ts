import { columnOf } from "./recover.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** In UTF-16 code units. */
interface BlockPlace {
  readonly type: string;
  readonly start: number;
}

/**
 * Tells where a brace is missing or too much: not where the file ends, but where the indentation first says otherwise than
 * the braces.
 */
export class BlockEnds {
  #mismatch: (BlockPlace & { readonly close: number }) | undefined;
  #hasComplained = false;

  close(cursor: TokenCursor, block: BlockPlace & { close: number }): void {
    if (this.#mismatch !== undefined || !isFirstInLine(cursor, block.close)) return;
    if (columnOf(cursor, { start: block.close }) !== columnOf(cursor, block)) this.#mismatch = block;
  }

  /** At the end of the file. Of all blocks that are open, one is told: one "}" is missing, and the rest follows. */
  complainUnclosed(cursor: TokenCursor, innermost: BlockPlace): void {
    if (this.#hasComplained || endsInHeredoc(cursor)) return;
    this.#hasComplained = true;
    const { type, start } = this.#mismatch ?? innermost;
    const message = `The block "${type}" has no closing "}"`;
    const close = this.#mismatch && cursor.source.locate(this.#mismatch.close);
    const hint = close && `The "}" of line ${close.line} is indented as that of another block`;
    cursor.complain(start, { message, hint });
  }

  /** Nothing is told of blocks that are not parsed to their end. */
  giveUp(): void {
    this.#hasComplained = true;
  }

  hintAtExcess(cursor: TokenCursor): string | undefined {
    if (this.#mismatch === undefined) return undefined;
    const { line } = cursor.source.locate(this.#mismatch.start);
    const close = cursor.source.locate(this.#mismatch.close);
    return `The block "${this.#mismatch.type}" of line ${line} ends at the "}" of line ${close.line}, by the braces`;
  }
}

/** Without its end, it takes in all that follows, "}" too. */
function endsInHeredoc(cursor: TokenCursor): boolean {
  const last = cursor.at(cursor.tokens.length - 2);
  return last.kind === "invalid" && cursor.textOf(last).startsWith("<<");
}

function isFirstInLine(cursor: TokenCursor, offset: number): boolean {
  const { text } = cursor.source;
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return text.slice(lineStart, offset).trim() === "";
}
