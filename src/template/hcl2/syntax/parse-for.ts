import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { parseExpression } from "./parse-expression.ts";
import type { Expression, ForExpression } from "./syntax-tree.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

const FORM = {
  "[": "[for value in list : result if condition]",
  "{": "{for key, value in object : key => result if condition}",
} as const;

/** Parses a for expression from its "for" on. Line ends are ignored in it. */
export function parseFor(cursor: TokenCursor, open: Token): ForExpression {
  const opener = open.kind === "{" ? "{" : "[";
  const hint = `It is written: ${FORM[opener]}`;
  cursor.read();
  const { keyName, valueName, collection } = parseForIntroduction(cursor, hint);
  let below = cursor.height;
  expect(cursor, ":", hint);
  let key: Expression | undefined;
  let value = parseExpression(cursor);
  below = Math.max(below, cursor.height);
  const arrow = cursor.peek();
  if (arrow.kind === "=>") {
    if (opener === "[") cursor.fail(arrow, { message: 'A for expression that makes a list has no "=>"', hint });
    cursor.read();
    key = value;
    value = parseExpression(cursor);
    below = Math.max(below, cursor.height);
  } else if (opener === "{") {
    const message = `A "=>" is missing before ${describeToken(cursor, arrow)}: a for expression that makes an object has keys`;
    cursor.fail(arrow, { message, hint });
  }
  const ellipsis = cursor.peek();
  const isGrouping = ellipsis.kind === "...";
  if (isGrouping) {
    if (opener === "[") cursor.fail(ellipsis, { message: 'A for expression that makes a list has no "..."', hint });
    cursor.read();
  }
  let condition: Expression | undefined;
  if (cursor.isWord(cursor.peek(), "if")) {
    cursor.read();
    condition = parseExpression(cursor);
    below = Math.max(below, cursor.height);
  }
  expect(cursor, opener === "[" ? "]" : "}", hintAfterExpression(cursor, cursor.peek()) ?? hint);
  cursor.grow(below);
  const range = cursor.rangeFrom(open.start);
  return { kind: "for", keyName, valueName, collection, key, value, condition, isGrouping, range };
}

/** Parses `key, value in collection`, of an expression or of a template's directive. */
export function parseForIntroduction(
  cursor: TokenCursor,
  hint: string,
): Pick<ForExpression, "keyName" | "valueName" | "collection"> {
  let keyName: string | undefined;
  let valueName = parseForName(cursor, hint);
  if (cursor.peek().kind === ",") {
    cursor.read();
    keyName = valueName;
    valueName = parseForName(cursor, hint);
  }
  const word = cursor.peek();
  if (!cursor.isWord(word, "in")) {
    cursor.fail(word, { message: `An "in" is missing before ${describeToken(cursor, word)}`, hint });
  }
  cursor.read();
  return { keyName, valueName, collection: parseExpression(cursor) };
}

function parseForName(cursor: TokenCursor, hint: string): string {
  const token = cursor.peek();
  if (token.kind !== "identifier") {
    cursor.fail(token, { message: `The name of a variable is missing before ${describeToken(cursor, token)}`, hint });
  }
  return cursor.textOf(cursor.read());
}

function expect(cursor: TokenCursor, kind: ":" | "]" | "}", hint: string): void {
  const token = cursor.peek();
  if (token.kind !== kind) {
    cursor.fail(token, { message: `A "${kind}" is missing before ${describeToken(cursor, token)}`, hint });
  }
  cursor.read();
}
