import { nearMiss } from "../../../base/suggest.ts";
import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { parseExpression } from "./parse-expression.ts";
import { parseForIntroduction } from "./parse-for.ts";
import type { Expression, ForExpression } from "./syntax-tree.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** `${…}` or `%{…}` of a template. */
export type Sequence = SequenceContent & {
  /** In UTF-16 code units. */
  readonly range: { readonly start: number; readonly end: number };
  /** Whether it ends with `~}`: the text behind it loses the space that it begins with. */
  readonly trimsNext: boolean;
  /** How high the tree of its expression is. */
  readonly height: number;
};

type SequenceContent =
  | { readonly kind: "interpolation"; readonly expression: Expression }
  | { readonly kind: "if"; readonly condition: Expression }
  | ({ readonly kind: "for" } & Pick<ForExpression, "keyName" | "valueName" | "collection">)
  | { readonly kind: "else" }
  | { readonly kind: "endif" }
  | { readonly kind: "endfor" };

const KEYWORDS = ["if", "else", "endif", "for", "endfor"] as const;
const FOR_HINT = "It is written: %{ for value in list }…%{ endfor }";

/** Parses from the opening of a sequence to its close. */
export function parseSequence(cursor: TokenCursor): Sequence {
  const open = cursor.read();
  return cursor.withNewlines("ignored", () => {
    cursor.height = 0;
    const content = open.kind === "open interpolation" ? parseInterpolation(cursor) : parseDirective(cursor, open);
    const close = cursor.peek();
    if (close.kind !== "close sequence") failUnclosed(cursor, open, close);
    cursor.read();
    const range = { start: open.start, end: close.end };
    return { ...content, range, trimsNext: close.end - close.start === 2, height: cursor.height };
  });
}

function parseInterpolation(cursor: TokenCursor): SequenceContent {
  return { kind: "interpolation", expression: parseExpression(cursor) };
}

function parseDirective(cursor: TokenCursor, open: Token): SequenceContent {
  const token = cursor.peek();
  const word = token.kind === "identifier" ? cursor.textOf(token) : "";
  const keyword = KEYWORDS.find((candidate) => candidate === word);
  if (keyword === undefined) {
    const near = nearMiss(word, KEYWORDS);
    cursor.fail(token.kind === "identifier" ? token : open, {
      ...(token.complaint ?? {
        message: `A "%{" begins one of ${KEYWORDS.map((name) => `"${name}"`).join(", ")}, not ${describeToken(cursor, token)}`,
        hint: near === undefined ? 'A "%{" that is no directive is written "%%{"' : `Did you mean "${near}"?`,
      }),
    });
  }
  cursor.read();
  switch (keyword) {
    case "if":
      return { kind: "if", condition: parseExpression(cursor) };
    case "for":
      return { kind: "for", ...parseForIntroduction(cursor, FOR_HINT) };
    default:
      return { kind: keyword };
  }
}

function failUnclosed(cursor: TokenCursor, open: Token, close: Token): never {
  const opener = cursor.textOf(open).slice(0, 2);
  const place = cursor.describePlace(open.start, close.start);
  return cursor.fail(close, {
    message: `A "}" is missing before ${describeToken(cursor, close)}: the "${opener}" of ${place} is open`,
    hint: hintAfterExpression(cursor, close) ?? `A "${opener}" that is no template is written "${opener[0]}${opener}"`,
  });
}
