import { MASK, SECRET_LENGTH_MIN, type TextRange } from "./secrets.ts";

/** A word with all its marks, and the plain ones in it: readers of different languages quote different parts of a text. */
const TOKEN = /[^\s"'`,=:|{}[\]()]+/g;
const PARTS = [/[\p{L}\p{Nd}_-]+/gu, /[\p{L}\p{Nd}_]+/gu];
// Where a value may begin in a line: at its beginning, and behind the first few of these.
const VALUE_STARTS = /^\s*|[=:]\s*/g;
const STARTS_MAX = 20;

/**
 * Texts with secrets in them, of which nobody knows where they begin and end: lines of what cannot be parsed. Unlike
 * `Secrets`, it looks for each word of what is to be shown, and not for each secret: a text may have a million.
 */
export class HiddenText {
  readonly #texts = new Set<string>();
  /** Of the texts, once they are wanted. */
  #parts: { readonly lines: ReadonlySet<string>; readonly words: ReadonlySet<string> } | undefined;

  add(text: string): void {
    this.#texts.add(text);
    this.#parts = undefined;
  }

  /** Where a text has lines or words of these, from left to right. */
  find(text: string): TextRange[] {
    if (this.#texts.size === 0) return [];
    const rest = this.#findLine(text);
    const before = text.slice(0, rest?.start);
    const found = [...before.matchAll(TOKEN)]
      .filter(({ 0: token }) => this.#hasWordsOf(token))
      .map(({ 0: token, index }) => ({ start: index, end: index + token.length }));
    return rest === undefined ? found : [...found, rest];
  }

  /** The rest of a line, if that is one of these. */
  #findLine(text: string): TextRange | undefined {
    const { lines } = this.#read();
    const starts = [...text.matchAll(VALUE_STARTS)].slice(0, STARTS_MAX);
    const end = text.trimEnd().length;
    const start = starts
      .map(({ 0: mark, index }) => index + mark.length)
      .find((offset) => end - offset >= SECRET_LENGTH_MIN && lines.has(text.slice(offset, end)));
    return start === undefined ? undefined : { start, end };
  }

  #hasWordsOf(token: string): boolean {
    if (token === MASK) return false;
    const { words } = this.#read();
    // A message that is long is cut.
    if (token.endsWith("…") && [...this.#texts].some((text) => text.includes(token.slice(0, -1)))) return true;
    return wordsOf(token).some((word) => word.length >= SECRET_LENGTH_MIN && words.has(word));
  }

  #read() {
    if (this.#parts !== undefined) return this.#parts;
    const lines = new Set<string>();
    const words = new Set<string>();
    for (const text of this.#texts) {
      for (const line of text.split("\n")) lines.add(line.trim());
      for (const word of wordsOf(text)) words.add(word);
    }
    this.#parts = { lines, words };
    return this.#parts;
  }
}

function wordsOf(text: string): string[] {
  return [TOKEN, ...PARTS].flatMap((pattern) => text.match(pattern) ?? []);
}
