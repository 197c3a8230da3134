import {
  type CharacterSet,
  characterSet,
  complement,
  PERL_CLASSES,
  POSIX_CLASSES,
  type SetItem,
  unicodeProperty,
} from "./character-set.ts";
import { RegexError } from "./regex-syntax.ts";

const CONTROL: Readonly<Record<string, string>> = { a: "\x07", f: "\f", t: "\t", n: "\n", r: "\r", v: "\v" };

/** Walks through a pattern, and knows its characters and classes. */
export class ClassReader {
  readonly #pattern: string;
  position = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get isAtEnd(): boolean {
    return this.position >= this.#pattern.length;
  }

  sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.position);
  }

  take(text: string): boolean {
    if (!this.sees(text)) return false;
    this.position += text.length;
    return true;
  }

  /** @param expression is sticky. */
  match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.position;
    const match = expression.exec(this.#pattern);
    if (match === null) return undefined;
    this.position += match[0].length;
    return match;
  }

  since(start: number): string {
    return this.#pattern.slice(start, this.position);
  }

  rest(start: number): string {
    return this.#pattern.slice(start);
  }

  /** The first characters of a group that is none of RE2's: `(?=`, `(?<!`. */
  opening(start: number): string {
    return /^\(\?(?:<[=!]|P?<[^>]*>?|.)?/su.exec(this.rest(start))?.[0] ?? "(?";
  }

  /** What is between `\Q` and `\E`, or the end. */
  quoted(): string {
    const end = this.#pattern.indexOf("\\E", this.position);
    const text = this.#pattern.slice(this.position, end < 0 ? undefined : end);
    this.position = end < 0 ? this.#pattern.length : end + 2;
    return text;
  }

  /** One character, which may be escaped. */
  character(): string {
    const start = this.position;
    if (!this.sees("\\")) return this.#next();
    this.position++;
    if (this.isAtEnd) throw new RegexError("trailing backslash at end of expression");
    const code = this.match(/x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})/y);
    if (code !== undefined) return this.#codePoint(Number.parseInt(code[1] ?? code[2] ?? "", 16), start);
    // One digit alone would be a reference to a group.
    const octal = this.match(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y);
    if (octal !== undefined) return this.#codePoint(Number.parseInt(octal[0], 8), start);
    const escaped = this.#next();
    const control = CONTROL[escaped];
    if (control !== undefined) return control;
    if (/\p{ASCII}/u.test(escaped) && !/[0-9A-Za-z]/.test(escaped)) return escaped;
    throw new RegexError(`invalid escape sequence: \`${this.since(start)}\``);
  }

  /** `\d`, `\pL`, `\P{Greek}` and the like, or `undefined` if something else stands there. */
  escapedClass(): readonly SetItem[] | undefined {
    const start = this.position;
    const perl = this.match(/\\([dswDSW])/y)?.[1];
    if (perl !== undefined) {
      const items = PERL_CLASSES[perl.toLowerCase()] ?? [];
      return /[DSW]/.test(perl) ? complement(items) : items;
    }
    const unicode = this.match(/\\([pP])(?:\{(\^?)([^}]*)\}|(.))/suy);
    if (unicode === undefined) return undefined;
    const [, letter, caret, long, short] = unicode;
    const property = unicodeProperty(long ?? short ?? "");
    if (property === undefined) throw new RegexError(`invalid character class range: \`${this.since(start)}\``);
    return [{ property, isNegated: (letter === "P") !== (caret === "^") }];
  }

  /** `[…]` */
  bracketClass(isCaseFolded: boolean): CharacterSet {
    const start = this.position++;
    const isNegated = this.take("^");
    const items: SetItem[] = [];
    // A bracket that comes first stands for itself.
    for (let isFirst = true; isFirst || !this.sees("]"); isFirst = false) {
      if (this.isAtEnd) throw new RegexError(`missing closing ]: \`${this.rest(start)}\``);
      items.push(...(this.#posixClass() ?? this.escapedClass() ?? this.#range(start)));
    }
    this.position++;
    return characterSet(items, { isNegated, isCaseFolded });
  }

  #posixClass(): readonly SetItem[] | undefined {
    const start = this.position;
    const match = this.match(/\[:(\^?)([^:\]]*):\]/y);
    if (match === undefined) return undefined;
    const items = Object.hasOwn(POSIX_CLASSES, match[2] ?? "") ? POSIX_CLASSES[match[2] ?? ""] : undefined;
    if (items === undefined) throw new RegexError(`invalid character class range: \`${this.since(start)}\``);
    return match[1] === "^" ? complement(items) : items;
  }

  #range(classStart: number): readonly SetItem[] {
    const start = this.position;
    const first = this.character().codePointAt(0) ?? 0;
    if (!this.sees("-") || this.#pattern.startsWith("-]", this.position)) return [{ first, last: first }];
    this.position++;
    if (this.isAtEnd) throw new RegexError(`missing closing ]: \`${this.rest(classStart)}\``);
    const last = this.character().codePointAt(0) ?? 0;
    if (last < first) throw new RegexError(`invalid character class range: \`${this.since(start)}\``);
    return [{ first, last }];
  }

  #next(): string {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.position) ?? 0);
    this.position += character.length;
    return character;
  }

  #codePoint(codePoint: number, start: number): string {
    if (codePoint > 0x10ffff) throw new RegexError(`invalid escape sequence: \`${this.since(start)}\``);
    return String.fromCodePoint(codePoint);
  }
}
