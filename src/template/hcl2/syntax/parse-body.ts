import { parseItem } from "./parse-item.ts";
import { recover } from "./recover.ts";
import type { Attribute, Block, Body } from "./syntax-tree.ts";
import { SyntaxFailure, type TokenCursor } from "./token-cursor.ts";

/**
 * Parses the items of a body up to a "}" or the end of the file, which it leaves. What is wrong with one ends only that one.
 *
 * @param start where the body begins, in UTF-16 code units.
 */
export function parseBody(cursor: TokenCursor, start: number): Body {
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  for (;;) {
    const token = cursor.peek();
    if (token.kind === "newline") {
      cursor.read();
      continue;
    }
    if (token.kind === "end of file" || (token.kind === "}" && cursor.depth > 0)) break;
    const item = parseItemOrRecover(cursor);
    if (item === undefined) continue;
    if ("body" in item) blocks.push(item);
    else addAttribute(cursor, attributes, { attribute: item, offset: token.start });
  }
  return { attributes, blocks, range: cursor.rangeOf({ start, end: cursor.peek().start }) };
}

function parseItemOrRecover(cursor: TokenCursor): Attribute | Block | undefined {
  const { index, depth } = cursor;
  try {
    return parseItem(cursor);
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    cursor.complain(error.offset, error);
    cursor.depth = depth;
    cursor.ignoresNewlines = false;
    recover(cursor, index);
    return undefined;
  }
}

function addAttribute(
  cursor: TokenCursor,
  attributes: Map<string, Attribute>,
  { attribute, offset }: { attribute: Attribute; offset: number },
): void {
  const { name } = attribute;
  const first = attributes.get(name);
  if (first === undefined) {
    attributes.set(name, attribute);
    return;
  }
  // The first one stays, for the problems of its value.
  const { line } = first.nameRange.start;
  cursor.tell(offset, { message: `"${name}" is set twice`, hint: `It is set in line ${line} already: remove one` });
}
