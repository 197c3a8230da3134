import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { parseExpression } from "./parse-expression.ts";
import { parseFor } from "./parse-for.ts";
import type { Expression, ForExpression, ObjectExpression, TemplatePart, TupleExpression } from "./syntax-tree.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** `[a, b]`, or a for expression that makes a list. */
export function parseTuple(cursor: TokenCursor): TupleExpression | ForExpression {
  const open = cursor.read();
  return cursor.withNewlines("ignored", () => {
    if (cursor.isWord(cursor.peek(), "for")) return parseFor(cursor, open);
    const items: Expression[] = [];
    let below = 0;
    while (cursor.peek().kind !== "]") {
      items.push(parseExpression(cursor));
      below = Math.max(below, cursor.height);
      const next = cursor.peek();
      if (next.kind === "]") break;
      if (next.kind !== ",") failUnclosed(cursor, { open, next, expected: 'A "," or "]"' });
      cursor.read();
    }
    cursor.read();
    cursor.grow(below);
    return { kind: "tuple", items, range: cursor.rangeFrom(open.start) };
  });
}

/** `{ key = value }`, or a for expression that makes an object. */
export function parseObject(cursor: TokenCursor): ObjectExpression | ForExpression {
  const open = cursor.read();
  const isFor = cursor.withNewlines("ignored", () => cursor.isWord(cursor.peek(), "for"));
  if (isFor) return cursor.withNewlines("ignored", () => parseFor(cursor, open));
  // Its line ends separate the items.
  return cursor.withNewlines("kept", () => {
    const items: { key: Expression; value: Expression }[] = [];
    let below = 0;
    for (;;) {
      while (cursor.peek().kind === "newline") cursor.read();
      if (cursor.peek().kind === "}") break;
      const key = parseKey(cursor, open);
      below = Math.max(below, cursor.height);
      items.push({ key, value: parseExpression(cursor) });
      below = Math.max(below, cursor.height);
      const next = cursor.peek();
      if (next.kind === "}") break;
      if (next.kind !== "," && next.kind !== "newline") {
        failUnclosed(cursor, { open, next, expected: 'A ",", the end of the line or a "}"' });
      }
      cursor.read();
    }
    cursor.read();
    cursor.grow(below);
    return { kind: "object", items, range: cursor.rangeFrom(open.start) };
  });
}

/** Parses a key and the "=" or ":" behind it. */
function parseKey(cursor: TokenCursor, open: Token): Expression {
  const token = cursor.peek();
  if (token.kind === "end of file") failUnclosed(cursor, { open, next: token, expected: 'A "}"' });
  const key = keyOf(cursor, token, parseExpression(cursor));
  const next = cursor.peek();
  if (next.kind === "=" || next.kind === ":") {
    cursor.read();
    return key;
  }
  const hint =
    next.kind === "=>" ? 'Only a for expression has "=>"' : "A key that is not a name, such as a.b, must be in quotes";
  return cursor.fail(next, { message: `A "=" and a value are missing before ${describeToken(cursor, next)}`, hint });
}

/** A bare name is the key itself, not a variable's. */
function keyOf(cursor: TokenCursor, token: Token, key: Expression): Expression {
  const text = cursor.textOf(token);
  const isName = key.kind === "variable" || (key.kind === "literal" && token.kind === "identifier");
  if (isName) {
    const { range } = key;
    const locate = (offset: number) => cursor.source.locate(token.start + offset);
    return { kind: "template", parts: [{ kind: "text", text, locate, range }], range };
  }
  if (isReference(key)) {
    const whole = cursor.source.text.slice(token.start, cursor.readEnd);
    const hint = `Write "${whole}" in quotes for that text, or (${whole}) for that value`;
    cursor.fail(token, { message: `The key ${whole} can be read in two ways`, hint: hint.slice(0, 200) });
  }
  return key;
}

/** `a.b`, `a[0]`: what is meant by it as a key, only quotes or parentheses can tell. */
function isReference(key: Expression): boolean {
  if (key.kind === "attribute") return key.of.kind === "variable" || isReference(key.of);
  if (key.kind !== "index") return false;
  const isConstant = key.key.kind === "literal" || (key.key.kind === "template" && key.key.parts.every(isText));
  return isConstant && (key.of.kind === "variable" || isReference(key.of));
}

function isText({ kind }: TemplatePart): boolean {
  return kind === "text";
}

function failUnclosed(
  cursor: TokenCursor,
  { open, next, expected }: { open: Token; next: Token; expected: string },
): never {
  const place = cursor.describePlace(open.start, next.start);
  const opener = cursor.textOf(open);
  return cursor.fail(next, {
    message: `${expected} is missing before ${describeToken(cursor, next)}: the "${opener}" of ${place} is open`,
    hint: hintAfterExpression(cursor, next),
  });
}
