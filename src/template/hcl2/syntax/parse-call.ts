import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { parseExpression } from "./parse-expression.ts";
import type { CallExpression, Expression } from "./syntax-tree.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** Parses the rest of a call, from behind its name. */
export function parseCall(cursor: TokenCursor, nameToken: Token): CallExpression {
  let name = cursor.textOf(nameToken);
  while (cursor.peek().kind === "::") {
    cursor.read();
    const part = cursor.read();
    if (part.kind !== "identifier") {
      cursor.fail(part, { message: `The name of a function is missing before ${describeToken(cursor, part)}` });
    }
    name += `::${cursor.textOf(part)}`;
  }
  const nameRange = cursor.rangeFrom(nameToken.start);
  const open = cursor.read();
  if (open.kind !== "(") {
    cursor.fail(open, { message: `A "(" is missing before ${describeToken(cursor, open)}: "${name}" is a function` });
  }
  return cursor.withNewlines("ignored", () => {
    const { list, expandsLast } = parseArguments(cursor, open);
    return {
      kind: "call",
      name,
      nameRange,
      arguments: list,
      expandsLast,
      range: cursor.rangeFrom(nameToken.start),
    };
  });
}

function parseArguments(cursor: TokenCursor, open: Token): { list: Expression[]; expandsLast: boolean } {
  const list: Expression[] = [];
  let below = 0;
  let expandsLast = false;
  while (cursor.peek().kind !== ")") {
    list.push(parseExpression(cursor));
    below = Math.max(below, cursor.height);
    if (cursor.peek().kind === "...") {
      cursor.read();
      expandsLast = true;
      const next = cursor.peek();
      if (next.kind !== ")") {
        cursor.fail(next, {
          message: `A ")" is missing before ${describeToken(cursor, next)}: "..." ends the arguments`,
        });
      }
      break;
    }
    const next = cursor.peek();
    if (next.kind === ")") break;
    if (next.kind !== ",") {
      cursor.fail(next, {
        message: `A "," or ")" is missing before ${describeToken(cursor, next)}: the "(" of ${cursor.describePlace(open.start, next.start)} is open`,
        hint: hintAfterExpression(cursor, next),
      });
    }
    cursor.read();
  }
  cursor.read();
  cursor.grow(below);
  return { list, expandsLast };
}
