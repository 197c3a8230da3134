import type { TemplatePiece } from "./parse-template.ts";
import type { TemplatePart } from "./syntax-tree.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** Puts each "if" and "for" of a template together with what is in it. Leaves the height of the highest part in the cursor. */
export function nestParts(cursor: TokenCursor, pieces: readonly TemplatePiece[]): TemplatePart[] {
  return new PartNester(cursor, pieces).nestAll();
}

function isCloser(piece: TemplatePiece): piece is Closer {
  return piece.kind === "else" || piece.kind === "endif" || piece.kind === "endfor";
}

type Opener = Extract<TemplatePiece, { kind: "if" | "for" }>;
type Closer = Extract<TemplatePiece, { kind: "else" | "endif" | "endfor" }>;

class PartNester {
  readonly #cursor: TokenCursor;
  readonly #pieces: readonly TemplatePiece[];
  #index = 0;

  constructor(cursor: TokenCursor, pieces: readonly TemplatePiece[]) {
    this.#cursor = cursor;
    this.#pieces = pieces;
  }

  nestAll(): TemplatePart[] {
    const { parts, closer } = this.#nestUntilCloser();
    if (closer !== undefined) {
      const opener = closer.kind === "endfor" ? "for" : "if";
      this.#cursor.fail(closer.range, { message: `There is no "%{ ${opener} }" for this "%{ ${closer.kind} }"` });
    }
    return parts;
  }

  /** @returns the parts up to an "else" or an end that belongs to something around them. */
  #nestUntilCloser(): { parts: TemplatePart[]; closer: Closer | undefined } {
    const parts: TemplatePart[] = [];
    let below = 0;
    let closer: Closer | undefined;
    for (;;) {
      const piece = this.#pieces[this.#index];
      if (piece === undefined) break;
      this.#index++;
      if (isCloser(piece)) {
        closer = piece;
        break;
      }
      parts.push(this.#partOf(piece));
      below = Math.max(below, this.#cursor.height);
    }
    this.#cursor.grow(below);
    return { parts, closer };
  }

  #partOf(piece: Exclude<TemplatePiece, Closer>): TemplatePart {
    const cursor = this.#cursor;
    switch (piece.kind) {
      case "text":
        cursor.height = 1;
        return {
          kind: "text",
          text: piece.text.text,
          locate: piece.text.locator(cursor.source),
          range: cursor.rangeOf(piece.range),
        };
      case "interpolation":
        cursor.height = piece.height;
        return { kind: "interpolation", expression: piece.expression, range: cursor.rangeOf(piece.range) };
      default: {
        cursor.deepen();
        const part = piece.kind === "if" ? this.#nestIf(piece) : this.#nestFor(piece);
        cursor.depth--;
        return part;
      }
    }
  }

  #nestIf(opener: Extract<Opener, { kind: "if" }>): TemplatePart {
    const cursor = this.#cursor;
    const { parts: then, closer } = this.#nestUntilCloser();
    let below = Math.max(opener.height, cursor.height);
    const otherwise = closer?.kind === "else" ? this.#nestUntilCloser() : { parts: [], closer };
    below = Math.max(below, cursor.height);
    const { start, end } = this.#close(opener, otherwise.closer);
    cursor.grow(below);
    const range = cursor.rangeOf({ start, end });
    return { kind: "if", condition: opener.condition, then, else: otherwise.parts, range };
  }

  #nestFor(opener: Extract<Opener, { kind: "for" }>): TemplatePart {
    const cursor = this.#cursor;
    const { parts, closer } = this.#nestUntilCloser();
    const below = Math.max(opener.height, cursor.height);
    const { start, end } = this.#close(opener, closer);
    cursor.grow(below);
    const { keyName, valueName, collection } = opener;
    return { kind: "for", keyName, valueName, collection, body: parts, range: cursor.rangeOf({ start, end }) };
  }

  #close(opener: Opener, closer: Closer | undefined): { start: number; end: number } {
    const { start } = opener.range;
    const expected = `end${opener.kind}`;
    if (closer?.kind === expected) return { start, end: closer.range.end };
    if (closer === undefined) {
      this.#cursor.fail(opener.range, { message: `This "%{ ${opener.kind} }" has no "%{ ${expected} }"` });
    }
    const place = this.#cursor.describePlace(start, closer.range.start);
    return this.#cursor.fail(closer.range, {
      message: `A "%{ ${expected} }" is missing before this "%{ ${closer.kind} }": the "%{ ${opener.kind} }" of ${place} is open`,
    });
  }
}
