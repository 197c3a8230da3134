import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { numberText } from "./number-text.ts";
import { parseCall } from "./parse-call.ts";
import { parseObject, parseTuple } from "./parse-collection.ts";
import { parseHeredoc, parseQuoted } from "./parse-template.ts";
import { parseTraversal } from "./parse-traversal.ts";
import type { BinaryOperator, Expression, LiteralExpression } from "./syntax-tree.ts";
import type { Token, TokenKind } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** The higher, the closer an operator binds. All of one height bind to the left. */
const PRECEDENCES: ReadonlyMap<TokenKind, number> = new Map<BinaryOperator, number>([
  ["||", 1],
  ["&&", 2],
  ["==", 3],
  ["!=", 3],
  [">", 4],
  [">=", 4],
  ["<", 4],
  ["<=", 4],
  ["+", 5],
  ["-", 5],
  ["*", 6],
  ["/", 6],
  ["%", 6],
]);

/** Parses an expression: the longest that begins here. */
export function parseExpression(cursor: TokenCursor): Expression {
  cursor.deepen();
  const { start } = cursor.peek();
  const condition = parseOperators(cursor, 1);
  const expression = cursor.peek().kind === "?" ? parseConditional(cursor, start, condition) : condition;
  cursor.depth--;
  return expression;
}

function parseConditional(cursor: TokenCursor, start: number, condition: Expression): Expression {
  let below = cursor.height;
  const question = cursor.read();
  const then = parseExpression(cursor);
  below = Math.max(below, cursor.height);
  const colon = cursor.peek();
  if (colon.kind !== ":") {
    cursor.fail(colon, {
      message: `A ":" is missing before ${describeToken(cursor, colon)}: the "?" of ${cursor.describePlace(question.start, colon.start)} needs it`,
      hint: "A conditional is written: condition ? value : other value",
    });
  }
  cursor.read();
  const otherwise = parseExpression(cursor);
  cursor.grow(Math.max(below, cursor.height));
  return { kind: "conditional", condition, then, else: otherwise, range: cursor.rangeFrom(start) };
}

function parseOperators(cursor: TokenCursor, precedenceMin: number): Expression {
  const { start } = cursor.peek();
  let left = parseOperand(cursor);
  for (;;) {
    const { kind } = cursor.peek();
    const precedence = PRECEDENCES.get(kind);
    if (precedence === undefined || precedence < precedenceMin) return left;
    cursor.read();
    const below = cursor.height;
    const right = parseOperators(cursor, precedence + 1);
    cursor.grow(Math.max(below, cursor.height));
    left = { kind: "binary", operator: kind as BinaryOperator, left, right, range: cursor.rangeFrom(start) };
  }
}

function parseOperand(cursor: TokenCursor): Expression {
  const token = cursor.peek();
  if (token.kind !== "-" && token.kind !== "!") return parseTraversal(cursor, token.start, parseTerm(cursor));
  cursor.deepen();
  cursor.read();
  const operand = parseOperand(cursor);
  cursor.depth--;
  cursor.grow(cursor.height);
  return { kind: "unary", operator: token.kind, operand, range: cursor.rangeFrom(token.start) };
}

function parseTerm(cursor: TokenCursor): Expression {
  const token = cursor.peek();
  cursor.height = 1;
  switch (token.kind) {
    case "identifier":
      return parseName(cursor);
    case "number":
      return parseNumber(cursor);
    case "open quote":
      return parseQuoted(cursor);
    case "open heredoc":
      return parseHeredoc(cursor);
    case "(":
      return parseParentheses(cursor);
    case "[":
      return parseTuple(cursor);
    case "{":
      return parseObject(cursor);
    default:
      return cursor.fail(token, {
        message: `A value is missing before ${describeToken(cursor, token)}`,
        hint: hintInsteadOfValue(token),
      });
  }
}

function hintInsteadOfValue(token: Token): string | undefined {
  switch (token.kind) {
    case "newline":
      return "A value begins in the line of what it belongs to; only in ( ) and [ ] it may begin in a later one";
    case "=":
      return 'Values are compared with "==", or with ">=" and "<="';
    case "+":
      return 'Numbers have no sign "+"';
    case "close sequence":
      return `Between "\${" and "}" stands an expression; "\${" itself is written "$\${"`;
    case "*":
      return "A splat stands behind a list: list[*].name";
    default:
      return undefined;
  }
}

function parseName(cursor: TokenCursor): Expression {
  const token = cursor.read();
  const next = cursor.peek();
  if (next.kind === "(" || next.kind === "::") return parseCall(cursor, token);
  const name = cursor.textOf(token);
  const range = cursor.rangeOf(token);
  switch (name) {
    case "true":
    case "false":
      return { kind: "literal", value: name === "true", range };
    case "null":
      return { kind: "literal", value: null, range };
    default:
      return { kind: "variable", name, range };
  }
}

function parseNumber(cursor: TokenCursor): LiteralExpression {
  const token = cursor.read();
  return { kind: "literal", value: { number: numberText(cursor, token) }, range: cursor.rangeOf(token) };
}

function parseParentheses(cursor: TokenCursor): Expression {
  const open = cursor.read();
  return cursor.withNewlines("ignored", () => {
    const expression = parseExpression(cursor);
    const close = cursor.peek();
    if (close.kind !== ")") {
      cursor.fail(close, {
        message: `A ")" is missing before ${describeToken(cursor, close)}: the "(" of ${cursor.describePlace(open.start, close.start)} is open`,
        hint: hintAfterExpression(cursor, close),
      });
    }
    cursor.read();
    cursor.grow(cursor.height);
    return { kind: "parentheses", expression, range: cursor.rangeFrom(open.start) };
  });
}
