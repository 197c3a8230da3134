import { decodeText } from "./decode-text.ts";
import { describeToken } from "./describe-token.ts";
import { parseBody } from "./parse-body.ts";
import { parseAttribute } from "./parse-item.ts";
import type { Block, Body } from "./syntax-tree.ts";
import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

type Label = Block["labels"][number];

/** From behind the type of a block to its "}". */
export function parseBlock(cursor: TokenCursor, typeToken: Token): Block {
  const type = cursor.textOf(typeToken);
  const labels = parseLabels(cursor);
  const brace = readBrace(cursor, { type, labels });
  cursor.deepenBlock();
  const body = parseBlockBody(cursor, { type, start: typeToken.start, brace });
  cursor.depth--;
  return { type, typeRange: cursor.rangeOf(typeToken), labels, body, range: cursor.rangeFrom(typeToken.start) };
}

function parseLabels(cursor: TokenCursor): Label[] {
  const labels: Label[] = [];
  for (;;) {
    const token = cursor.peek();
    if (token.kind === "identifier") {
      cursor.read();
      labels.push({ text: cursor.textOf(token), range: cursor.rangeOf(token) });
    } else if (token.kind === "open quote") labels.push(parseQuotedLabel(cursor));
    else return labels;
  }
}

function parseQuotedLabel(cursor: TokenCursor): Label {
  const open = cursor.read();
  let text = "";
  for (;;) {
    const token = cursor.read();
    if (token.kind === "close quote") return { text, range: cursor.rangeFrom(open.start) };
    if (token.kind !== "text") {
      const sign = cursor.textOf(token).slice(0, 2);
      cursor.fail(token, {
        message: `A label is only text: there is no "${sign}" in it`,
        hint: `Write "${sign[0]}${sign}"`,
      });
    }
    text += decodeText(cursor, token, true).text;
  }
}

function readBrace(cursor: TokenCursor, { type, labels }: { type: string; labels: readonly Label[] }): Token {
  let token = cursor.peek();
  if (token.kind === "=" && cursor.peekSecond().kind === "{") {
    cursor.read();
    cursor.complain(token.start, { message: `There is no "=" between the block "${type}" and its "{"` });
    token = cursor.peek();
  }
  if (token.kind === "newline") {
    const brace = cursor.withNewlines("ignored", () => cursor.peek());
    if (brace.kind === "{") {
      cursor.complain(brace.start, { message: `The "{" of the block "${type}" must stand in the line of its name` });
      return cursor.withNewlines("ignored", () => cursor.read());
    }
  }
  if (token.kind === "{") return cursor.read();
  const isLikeArgument = labels.length === 1;
  return cursor.fail(token, {
    message: `A "{" is missing before ${describeToken(cursor, token)}: it begins what is in the block "${type}"`,
    hint: isLikeArgument ? `Or a "=" behind "${type}", if it is an argument` : undefined,
  });
}

function parseBlockBody(cursor: TokenCursor, block: { type: string; start: number; brace: Token }): Body {
  const { type, brace } = block;
  const first = cursor.peek().kind;
  if (first !== "newline" && first !== "}" && first !== "end of file") return parseOneLineBody(cursor, block);
  const body = parseBody(cursor, brace.end);
  const close = cursor.peek();
  if (close.kind === "}") {
    cursor.read();
    cursor.blocks.close(cursor, { type, start: block.start, close: close.start });
  } else cursor.blocks.complainUnclosed(cursor, { type, start: block.start });
  return body;
}

/** `{ name = value }`: the only thing that a block in one line may hold. */
function parseOneLineBody(cursor: TokenCursor, { type, brace }: { type: string; brace: Token }): Body {
  const name = cursor.peek();
  const second = cursor.peekSecond();
  const hint = "Write what is in it in lines of its own";
  if (name.kind !== "identifier" || second.kind !== "=") {
    const message = `A block in one line holds one argument, name = value, not ${describeToken(cursor, name)}`;
    cursor.fail(name.complaint === undefined && name.kind === "identifier" ? second : name, { message, hint });
  }
  const attribute = parseAttribute(cursor, cursor.read());
  const close = cursor.peek();
  if (close.kind !== "}") {
    const message = `A block in one line holds one argument: a "}" is missing before ${describeToken(cursor, close)}`;
    cursor.fail(close, { message: `${message}, for the "{" of "${type}"`, hint });
  }
  cursor.read();
  const range = cursor.rangeOf({ start: brace.end, end: close.start });
  return { attributes: new Map([[attribute.name, attribute]]), blocks: [], range };
}
