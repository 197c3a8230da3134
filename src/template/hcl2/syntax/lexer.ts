import { scanCode } from "./scan-code.ts";
import { endUnclosed, scanHeredoc, scanQuoted, scanTemplate } from "./scan-text.ts";
import type { Complaint, Token, TokenKind } from "./token.ts";

/** What the lexer is in: code, or the text of a template; each stands in the one before. */
export type Mode =
  | {
      readonly kind: "code";
      /** How many "{" are open inside of which a "}" ends it. `undefined` for that of the file. */
      readonly closingBraces: number | undefined;
      readonly start: number;
    }
  | { readonly kind: "quoted"; readonly start: number }
  | { readonly kind: "heredoc"; readonly start: number; readonly marker: string; isLineStart: boolean }
  | { readonly kind: "template"; readonly start: number };

// A template has some hundred; each takes some tens of bytes of memory.
const TOKENS_MAX = 500_000;

/** Takes a text apart. What is wrong with it becomes an "invalid" token: there is always an end. */
export class Lexer {
  readonly text: string;
  readonly tokens: Token[] = [];
  /** The innermost is the last. */
  readonly modes: Mode[];
  /** In UTF-16 code units. */
  offset = 0;
  /** How many "{" are open, those of templates included. */
  braces = 0;

  constructor(text: string, mode: "code" | "template") {
    this.text = text;
    const start = text.startsWith("\uFEFF") ? 1 : 0;
    this.offset = start;
    this.modes = [mode === "code" ? { kind: "code", closingBraces: undefined, start } : { kind: "template", start }];
  }

  /** Adds what stands from `start` to `end`, and goes there. */
  add(kind: TokenKind, start: number, end: number): void {
    if (this.tokens.length >= TOKENS_MAX) this.#stop(start);
    else {
      this.tokens.push({ kind, start, end, complaint: undefined });
      this.offset = end;
    }
  }

  #stop(start: number): void {
    const complaint = { message: "There is too much in this file up to here" };
    if (this.tokens.length === TOKENS_MAX) this.addInvalid(start, this.text.length, complaint);
    this.offset = this.text.length;
  }

  addInvalid(start: number, end: number, complaint: Complaint): void {
    this.tokens.push({ kind: "invalid", start, end, complaint });
    this.offset = end;
  }

  /** Goes into the code of a `${` or `%{`. */
  enterSequence(kind: "open interpolation" | "open directive"): void {
    const start = this.offset;
    const isTrimming = this.text[start + 2] === "~";
    this.add(kind, start, start + (isTrimming ? 3 : 2));
    this.braces++;
    this.modes.push({ kind: "code", closingBraces: this.braces, start });
  }

  run(): readonly Token[] {
    while (this.offset < this.text.length) {
      const mode = this.modes.at(-1);
      if (mode === undefined || mode.kind === "code") scanCode(this, mode?.closingBraces);
      else if (mode.kind === "quoted") scanQuoted(this, mode.start);
      else if (mode.kind === "heredoc") scanHeredoc(this, mode);
      else scanTemplate(this);
    }
    this.#complainOfUnclosed();
    const end = this.text.length;
    this.tokens.push({ kind: "end of file", start: end, end, complaint: undefined });
    return this.tokens;
  }

  #complainOfUnclosed(): void {
    const mode = this.modes.at(-1);
    const end = this.text.length;
    if (mode?.kind === "quoted") endUnclosed(this, mode.start, end);
    else if (mode?.kind === "heredoc") {
      this.addInvalid(mode.start, end, unclosedHeredoc(mode.marker, this.text.slice(mode.start)));
    }
  }
}

function unclosedHeredoc(marker: string, text: string): Complaint {
  const message = `The heredoc "${marker}" has no end`;
  const lines = text.split("\n").map((line) => line.trim());
  if (lines.at(-1) === marker) return { message, hint: `A line must end behind the "${marker}" at its end, too` };
  if (
    lines.slice(1).some((line) => line.startsWith(marker) && !/^[\p{ID_Continue}-]/u.test(line.slice(marker.length)))
  ) {
    return { message, hint: `Nothing else may stand in the line of the "${marker}" that ends it` };
  }
  return { message, hint: `It ends with a line that is only "${marker}"` };
}

/** @param mode what the text begins as: a file is code, a `.pkrtpl` file is a template. */
export function tokenize(text: string, mode: "code" | "template"): readonly Token[] {
  return new Lexer(text, mode).run();
}
