import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { numberText } from "./number-text.ts";
import { parseExpression } from "./parse-expression.ts";
import { type Expression, SPLAT_ITEM, type SplatExpression, type VariableExpression } from "./syntax-tree.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** Parses what follows a term: `.name`, `.0`, `[key]`, `.*` and `[*]`. */
export function parseTraversal(cursor: TokenCursor, start: number, term: Expression): Expression {
  let expression = term;
  for (;;) {
    const { kind } = cursor.peek();
    if (kind === ".") expression = parseDot(cursor, start, expression);
    else if (kind === "[") expression = parseBracket(cursor, start, expression);
    else return expression;
  }
}

function parseDot(cursor: TokenCursor, start: number, of: Expression): Expression {
  const dot = cursor.read();
  const token = cursor.peek();
  if (token.kind !== "*") return parseStep(cursor, start, of, dot);
  const below = cursor.height;
  cursor.read();
  let each: Expression = splatItem(cursor, dot);
  // This splat reaches as far as names and numbers do: an index behind them is one of the whole list.
  while (cursor.peek().kind === ".") each = parseStep(cursor, dot.start, each, cursor.read());
  return finishSplat(cursor, start, { of, each, below });
}

/** Parses a name or a number behind a dot that was read. */
function parseStep(cursor: TokenCursor, start: number, of: Expression, dot: Token): Expression {
  const token = cursor.peek();
  if (token.kind === "number") return parseNumberStep(cursor, start, of);
  if (token.kind !== "identifier") {
    const hint = token.kind === "*" ? 'A splat in a splat is written "[*]"' : undefined;
    const message = `A name is missing behind this ".", before ${describeToken(cursor, token)}`;
    cursor.fail(token.kind === "newline" ? dot : token, { message, hint });
  }
  cursor.read();
  cursor.grow(cursor.height);
  const nameRange = cursor.rangeOf(token);
  return { kind: "attribute", of, name: cursor.textOf(token), nameRange, range: cursor.rangeFrom(start) };
}

/** `list.0`, of the time before `list[0]`. */
function parseNumberStep(cursor: TokenCursor, start: number, of: Expression): Expression {
  const token = cursor.read();
  const number = cursor.textOf(token);
  const parts = number.split(".");
  if (parts.length > 1) {
    const hint = `Write ${parts.map((part) => `[${part}]`).join("")}`.slice(0, 80);
    cursor.fail(token, { message: `".${number.slice(0, 40)}" is a broken number, not two indexes`, hint });
  }
  numberText(cursor, token);
  cursor.grow(cursor.height);
  const range = cursor.rangeFrom(start);
  if (!/^\d{1,15}$/.test(number)) {
    return { kind: "index", of, key: { kind: "literal", value: { number }, range: cursor.rangeOf(token) }, range };
  }
  return { kind: "attribute", of, name: String(Number(number)), nameRange: cursor.rangeOf(token), range };
}

function parseBracket(cursor: TokenCursor, start: number, of: Expression): Expression {
  const below = cursor.height;
  const open = cursor.read();
  if (cursor.peek().kind === "*") {
    cursor.read();
    expectClose(cursor, open);
    cursor.deepen();
    const each = parseTraversal(cursor, open.start, splatItem(cursor, open));
    cursor.depth--;
    return finishSplat(cursor, start, { of, each, below });
  }
  const key = cursor.withNewlines("ignored", () => {
    const expression = parseExpression(cursor);
    expectClose(cursor, open);
    return expression;
  });
  cursor.grow(Math.max(below, cursor.height));
  return { kind: "index", of, key, range: cursor.rangeFrom(start) };
}

function expectClose(cursor: TokenCursor, open: Token): void {
  const close = cursor.peek();
  if (close.kind === "]") {
    cursor.read();
    return;
  }
  cursor.fail(close, {
    message: `A "]" is missing before ${describeToken(cursor, close)}: the "[" of ${cursor.describePlace(open.start, close.start)} is open`,
    hint: hintAfterExpression(cursor, close),
  });
}

/** @param open where the splat begins: its marker ends at what was read last. */
function splatItem(cursor: TokenCursor, open: Token): VariableExpression {
  cursor.height = 1;
  return { kind: "variable", name: SPLAT_ITEM, range: cursor.rangeFrom(open.start) };
}

function finishSplat(
  cursor: TokenCursor,
  start: number,
  { of, each, below }: { of: Expression; each: Expression; below: number },
): SplatExpression {
  cursor.grow(Math.max(below, cursor.height));
  return { kind: "splat", of, each, range: cursor.rangeFrom(start) };
}
