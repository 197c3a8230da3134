import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { parseBlock } from "./parse-block.ts";
import { parseExpression } from "./parse-expression.ts";
import type { Attribute, Block } from "./syntax-tree.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** An argument or a block, with the end of its line. */
export function parseItem(cursor: TokenCursor): Attribute | Block {
  const name = readName(cursor);
  const next = cursor.peek();
  switch (isBraceInLaterLine(cursor) ? "{" : next.kind) {
    case "=":
    case ":": {
      const attribute = parseAttribute(cursor, name);
      expectLineEnd(cursor, `the value of "${attribute.name}"`);
      return attribute;
    }
    case "{":
    case "identifier":
    case "open quote": {
      const block = parseBlock(cursor, name);
      expectLineEnd(cursor, `the block "${block.type}"`);
      return block;
    }
    default:
      return cursor.fail(next, {
        message: `A "=", a label or a "{" must follow "${cursor.textOf(name)}", not ${describeToken(cursor, next)}`,
        hint: 'An argument is written: name = value; a block is written: type "label" { … }',
      });
  }
}

/** A style of other languages: what is meant is clear, so it is told as that. */
function isBraceInLaterLine(cursor: TokenCursor): boolean {
  return cursor.peek().kind === "newline" && cursor.withNewlines("ignored", () => cursor.peek().kind === "{");
}

function readName(cursor: TokenCursor): Token {
  const token = cursor.peek();
  if (token.kind === "identifier") return cursor.read();
  if (token.kind === "open quote") {
    cursor.fail(token, { message: "The name of an argument or block must not be in quotes" });
  }
  if (token.kind === "}") {
    cursor.read();
    cursor.fail(token, { message: 'This "}" is too much: no block is open', hint: cursor.blocks.hintAtExcess(cursor) });
  }
  const message = `The name of an argument or block is missing before ${describeToken(cursor, token)}`;
  const hint = token.kind === "{" ? 'The "{" of a block stands in the line of its name' : undefined;
  return cursor.fail(token, { message, hint });
}

/** From behind the name to the end of the value. */
export function parseAttribute(cursor: TokenCursor, nameToken: Token): Attribute {
  const name = cursor.textOf(nameToken);
  const sign = cursor.read();
  if (sign.kind === ":") {
    cursor.complain(sign.start, {
      message: `A "=" must follow "${name}", not ":"`,
      hint: 'Only in an object { } may it be ":"',
    });
  }
  const value = parseExpression(cursor);
  return { name, nameRange: cursor.rangeOf(nameToken), value, range: cursor.rangeFrom(nameToken.start) };
}

/** @param what that the line ends behind, for a message. */
function expectLineEnd(cursor: TokenCursor, what: string): void {
  const token = cursor.peek();
  switch (token.kind) {
    case "newline":
      cursor.read();
      return;
    case "end of file":
      return;
    case ",":
      cursor.read();
      cursor.complain(token.start, { message: `A "," behind ${what}`, hint: "The end of the line ends an argument" });
      return;
    case "identifier":
      if (!["=", "{", "open quote"].includes(cursor.peekSecond().kind)) break;
      cursor.complain(token.start, {
        message: `A new line is missing between ${what} and ${describeToken(cursor, token)}`,
      });
      return;
    case "}":
      if (cursor.depth === 0) break;
      cursor.complain(token.start, { message: `A new line is missing between ${what} and the "}"` });
      return;
    default:
  }
  cursor.fail(token, {
    message: `The line must end behind ${what}, not go on with ${describeToken(cursor, token)}`,
    hint: hintAfterExpression(cursor, token) ?? hintAtLineEnd(token),
  });
}

function hintAtLineEnd(token: Token): string | undefined {
  if (token.kind === "open quote") return `Texts are joined in one: "\${a} and \${b}"`;
  return undefined;
}
