import { splitTemplate, type Token } from "./lexer.ts";
import { type Expression, GoTemplateError, type TemplatePart } from "./syntax.ts";

// The rest of the language. It is named, so that nobody looks for a typing error.
const KEYWORDS_NOT_YET = new Set([
  "if",
  "else",
  "end",
  "range",
  "with",
  "define",
  "template",
  "block",
  "break",
  "continue",
]);

/**
 * Parses the part of Go's text/template that stands for text: expressions with
 * pipelines, calls, literals, parentheses and fields.
 *
 * @throws {GoTemplateError}
 */
export function parseTemplate(source: string): TemplatePart[] {
  return splitTemplate(source).map((piece) =>
    typeof piece === "string" ? piece : new ActionParser(piece.tokens, piece.offset).parse(),
  );
}

class ActionParser {
  readonly #tokens: readonly Token[];
  readonly #offset: number;
  #position = 0;

  constructor(tokens: readonly Token[], offset: number) {
    this.#tokens = tokens;
    this.#offset = offset;
  }

  parse(): Expression {
    const [first] = this.#tokens;
    if (first?.kind === "identifier" && KEYWORDS_NOT_YET.has(first.name)) throw notYet(`"${first.name}"`, first.offset);
    if (first?.kind === "end") throw new GoTemplateError('Nothing between "{{" and "}}"', this.#offset);
    const expression = this.#pipeline();
    const rest = this.#peek();
    if (rest.kind !== "end") throw new GoTemplateError(`Unexpected ${describe(rest)}`, rest.offset);
    return expression;
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: "end", offset: this.#offset };
  }

  #isPunctuation(text: string): boolean {
    const token = this.#peek();
    return token.kind === "punctuation" && token.text === text;
  }

  #pipeline(): Expression {
    let value = this.#command();
    while (this.#isPunctuation("|")) {
      this.#position++;
      const stage = this.#peek();
      const next = this.#command();
      if (next.kind !== "call") throw new GoTemplateError(`Cannot pipe into ${describe(stage)}`, stage.offset);
      value = { ...next, operands: [...next.operands, value] };
    }
    return value;
  }

  /** An operand, or a function's name and its operands. */
  #command(): Expression {
    const first = this.#peek();
    const isCall = first.kind === "identifier" && !isConstant(first.name);
    if (isCall) this.#position++;
    const head = isCall ? undefined : this.#operand();
    const operands: Expression[] = [];
    while (this.#startsOperand()) operands.push(this.#operand());
    if (head === undefined && first.kind === "identifier") {
      return { kind: "call", name: first.name, operands, offset: first.offset };
    }
    if (head === undefined || operands.length > 0) {
      throw new GoTemplateError(
        `${capitalized(describe(first))} is not a function and takes no arguments`,
        first.offset,
      );
    }
    return head;
  }

  #startsOperand(): boolean {
    const token = this.#peek();
    return token.kind === "punctuation" ? token.text === "(" : token.kind !== "end";
  }

  #operand(): Expression {
    const token = this.#peek();
    this.#position++;
    switch (token.kind) {
      case "string":
      case "number":
        return { kind: "literal", value: token.value, offset: token.offset };
      case "field":
        return fieldOf(token.path, token.offset);
      case "identifier":
        if (isConstant(token.name)) return constantOf(token.name, token.offset);
        return { kind: "call", name: token.name, operands: [], offset: token.offset };
      case "variable":
        throw notYet(`a variable ("${token.name}")`, token.offset);
      case "punctuation":
        if (token.text === "(") return this.#parenthesized(token.offset);
        throw new GoTemplateError(`Unexpected ${describe(token)}`, token.offset);
      case "end":
        throw new GoTemplateError("A value is missing", token.offset);
    }
  }

  #parenthesized(offset: number): Expression {
    const inner = this.#pipeline();
    if (!this.#isPunctuation(")")) throw new GoTemplateError('Unclosed "("', offset);
    this.#position++;
    return inner;
  }
}

function isConstant(name: string): boolean {
  return name === "true" || name === "false" || name === "nil";
}

function constantOf(name: string, offset: number): Expression {
  if (name === "nil") throw new GoTemplateError('"nil" is not a value that can be written', offset);
  return { kind: "literal", value: name === "true", offset };
}

function fieldOf(path: readonly string[], offset: number): Expression {
  if (path.length === 0) throw notYet('a bare "."', offset);
  return { kind: "field", path, offset };
}

function notYet(what: string, offset: number): GoTemplateError {
  return new GoTemplateError(`${capitalized(what)} in a template expression is not supported yet`, offset);
}

function describe(token: Token): string {
  switch (token.kind) {
    case "string":
    case "number":
      return JSON.stringify(token.value);
    case "identifier":
    case "variable":
      return `"${token.name}"`;
    case "field":
      return `".${token.path.join(".")}"`;
    case "punctuation":
      return `"${token.text}"`;
    case "end":
      return 'the end of "{{ }}"';
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
