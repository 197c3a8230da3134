import { type Piece, splitTemplate } from "./lexer.ts";
import { parsePipeline } from "./pipeline-parser.ts";
import { type ControlKind, GoTemplateError, type ParsedTemplate, type TemplateNode } from "./syntax.ts";
import { describe, TokenReader } from "./token-reader.ts";

// Each level is some calls deeper, here and when it is run.
const DEPTH_MAX = 100;

/**
 * Parses Go's text/template.
 *
 * @param options.leavesFields whether `{{.Name}}` is text.
 * @throws {GoTemplateError}
 */
export function parseTemplate(source: string, { leavesFields = false } = {}): ParsedTemplate {
  return new TemplateParser(splitTemplate(source, leavesFields)).parse();
}

/** The action that ended a list of nodes. */
interface Ending {
  readonly keyword: "end" | "else";
  /** After the keyword. */
  readonly tokens: TokenReader;
}

class TemplateParser {
  readonly #pieces: readonly Piece[];
  readonly #definitions = new Map<string, readonly TemplateNode[]>();
  #position = 0;
  #depth = 0;
  /** How many `range` are around: only in one may the run be broken off. */
  #ranges = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  parse(): ParsedTemplate {
    const { nodes, ending } = this.#nodes();
    if (ending === undefined) return { nodes, definitions: this.#definitions };
    throw new GoTemplateError(`"${ending.keyword}" stands alone`, ending.tokens.offset);
  }

  /** Up to the end of the text, or to an `end` or `else` that belongs to what is around it. */
  #nodes(): { nodes: TemplateNode[]; ending: Ending | undefined } {
    const nodes: TemplateNode[] = [];
    while (this.#position < this.#pieces.length) {
      const piece = this.#pieces[this.#position++];
      if (piece === undefined) break;
      if (typeof piece === "string") {
        nodes.push({ kind: "text", text: piece });
        continue;
      }
      const tokens = new TokenReader(piece.tokens, piece.offset);
      const keyword = keywordOf(tokens);
      if (keyword === "end" || keyword === "else") {
        tokens.next();
        if (keyword === "end") tokens.expectEnd();
        return { nodes, ending: { keyword, tokens } };
      }
      const node = this.#action(keyword, tokens);
      if (node !== undefined) nodes.push(node);
    }
    return { nodes, ending: undefined };
  }

  /** `undefined` for a definition, which stands for nothing. */
  #action(keyword: string | undefined, tokens: TokenReader): TemplateNode | undefined {
    const { offset } = tokens;
    if (keyword !== undefined) tokens.next();
    switch (keyword) {
      case "if":
      case "with":
      case "range":
        return this.#control(keyword, tokens);
      case "define":
        return this.#definition(tokens);
      case "block":
        return this.#block(tokens);
      case "template": {
        const name = templateName(tokens);
        const argument = tokens.peek().kind === "end" ? undefined : parsePipeline(tokens);
        tokens.expectEnd();
        return { kind: "template", name, argument, offset };
      }
      case "break":
      case "continue":
        tokens.expectEnd();
        if (this.#ranges === 0) throw new GoTemplateError(`"${keyword}" stands outside of "range"`, offset);
        return { kind: keyword, offset };
      default: {
        if (tokens.peek().kind === "end") throw new GoTemplateError('Nothing between "{{" and "}}"', offset);
        const pipeline = parsePipeline(tokens);
        tokens.expectEnd();
        return { kind: "action", pipeline, offset };
      }
    }
  }

  #control(kind: ControlKind, tokens: TokenReader): TemplateNode {
    const { offset } = tokens;
    if (tokens.peek().kind === "end") throw new GoTemplateError(`"${kind}" needs a value`, offset);
    const pipeline = parsePipeline(tokens, kind === "range" ? 2 : 1);
    tokens.expectEnd();
    const isRange = kind === "range" ? 1 : 0;
    this.#ranges += isRange;
    const { nodes: body, ending } = this.#inner(kind, offset);
    this.#ranges -= isRange;
    const otherwise = ending.keyword === "end" ? [] : this.#otherwise(kind, ending.tokens);
    return { kind, pipeline, body, otherwise, offset };
  }

  /** After `else`: `else if` is an `if` of its own, whose `end` ends both. */
  #otherwise(kind: ControlKind, tokens: TokenReader): readonly TemplateNode[] {
    const keyword = keywordOf(tokens);
    if (keyword === kind && (keyword === "if" || keyword === "with")) {
      tokens.next();
      return [this.#deeper(tokens.offset, () => this.#control(keyword, tokens))];
    }
    tokens.expectEnd();
    const { nodes, ending } = this.#inner(kind, tokens.offset);
    if (ending.keyword === "end") return nodes;
    throw new GoTemplateError(`Another "else" of one "${kind}"`, ending.tokens.offset);
  }

  #definition(tokens: TokenReader): undefined {
    const { offset } = tokens;
    if (this.#depth > 0) throw new GoTemplateError('"define" stands inside of something', offset);
    const name = templateName(tokens);
    tokens.expectEnd();
    this.#define(name, this.#whole("define", offset), offset);
    return undefined;
  }

  /** A definition, and its use in the same place. */
  #block(tokens: TokenReader): TemplateNode {
    const { offset } = tokens;
    const name = templateName(tokens);
    if (tokens.peek().kind === "end") throw new GoTemplateError('"block" needs a value after the name', offset);
    const argument = parsePipeline(tokens);
    tokens.expectEnd();
    this.#define(name, this.#whole("block", offset), offset);
    return { kind: "template", name, argument, offset };
  }

  /** What a template consists of: a `range` around its definition is none around its text. */
  #whole(kind: string, offset: number): readonly TemplateNode[] {
    const ranges = this.#ranges;
    this.#ranges = 0;
    const { nodes, ending } = this.#inner(kind, offset);
    this.#ranges = ranges;
    if (ending.keyword === "end") return nodes;
    throw new GoTemplateError(`"else" stands in a "${kind}"`, ending.tokens.offset);
  }

  /** As in Go, an empty definition gives way to one that is not. */
  #define(name: string, nodes: readonly TemplateNode[], offset: number): void {
    const earlier = this.#definitions.get(name);
    if (earlier !== undefined && isEmpty(nodes)) return;
    if (earlier !== undefined && !isEmpty(earlier)) {
      throw new GoTemplateError(`The template "${name}" is defined twice`, offset);
    }
    this.#definitions.set(name, nodes);
  }

  #inner(kind: string, offset: number): { nodes: TemplateNode[]; ending: Ending } {
    const { nodes, ending } = this.#deeper(offset, () => this.#nodes());
    if (ending === undefined) throw new GoTemplateError(`The "end" of "${kind}" is missing`, offset);
    return { nodes, ending };
  }

  #deeper<T>(offset: number, work: () => T): T {
    if (this.#depth >= DEPTH_MAX) throw new GoTemplateError(`Nested deeper than ${DEPTH_MAX} levels`, offset);
    this.#depth++;
    const result = work();
    this.#depth--;
    return result;
  }
}

const KEYWORDS = new Set(["if", "with", "range", "else", "end", "define", "block", "template", "break", "continue"]);

function keywordOf(tokens: TokenReader): string | undefined {
  const token = tokens.peek();
  return token.kind === "identifier" && KEYWORDS.has(token.name) ? token.name : undefined;
}

function templateName(tokens: TokenReader): string {
  const token = tokens.next();
  if (token.kind === "string") return token.value;
  throw new GoTemplateError(`The name of a template is a string, not ${describe(token)}`, token.offset);
}

function isEmpty(nodes: readonly TemplateNode[]): boolean {
  return nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}
