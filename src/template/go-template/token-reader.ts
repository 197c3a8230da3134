import type { Token } from "./lexer.ts";
import { GoTemplateError } from "./syntax.ts";

/** The tokens of one action, one after the other. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  /** Of the opening braces. */
  readonly offset: number;
  #position = 0;

  constructor(tokens: readonly Token[], offset: number) {
    this.#tokens = tokens;
    this.offset = offset;
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#position + ahead] ?? { kind: "end", offset: this.offset, isAfterSpace: false };
  }

  next(): Token {
    const token = this.peek();
    this.#position++;
    return token;
  }

  isPunctuation(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "punctuation" && token.text === text;
  }

  /** Takes a token if it is this operator. */
  take(text: string): boolean {
    const isIt = this.isPunctuation(text);
    if (isIt) this.#position++;
    return isIt;
  }

  /** @throws {GoTemplateError} if the action goes on. */
  expectEnd(): void {
    const token = this.peek();
    if (token.kind !== "end") throw new GoTemplateError(`Unexpected ${describe(token)}`, token.offset);
  }
}

/** A token in a message. */
export function describe(token: Token): string {
  switch (token.kind) {
    case "string":
      return JSON.stringify(token.value);
    case "number":
      return token.text;
    case "identifier":
    case "variable":
      return `"${token.name}"`;
    case "dot":
      return '"."';
    case "field":
      return `".${token.name}"`;
    case "punctuation":
      return `"${token.text}"`;
    case "end":
      return 'the end of "{{ }}"';
  }
}
