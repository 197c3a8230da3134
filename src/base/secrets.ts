import { base64Forms, escapeRegExp, type SecretForm } from "./secret-forms.ts";
import { shellQuote } from "./shell-quote.ts";

/** Stands for a secret in what is shown. */
export const MASK = "<sensitive>";

/** A shorter secret is not hidden: it would be found inside other words, and hide nothing but them. */
export const SECRET_LENGTH_MIN = 4;

/** In UTF-16 code units; `end` is behind it. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Knows what must not be shown of a text. */
export interface SecretFinder {
  /** Where, from left to right. */
  find(text: string): TextRange[];
}

/** Values that must never be shown. It may learn of more while a build runs: the credentials of a role, as they come. */
export class Secrets {
  readonly #secrets = new Set<string>();
  /** How many characters each pattern stands for, at least. */
  readonly #forms = new Map<string, number>();
  #pattern: RegExp | undefined;

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  add(secret: string): void {
    if (this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    for (const { pattern, length } of formsOf(secret)) this.#forms.set(pattern, length);
    this.#pattern = undefined;
  }

  /** The text with `<sensitive>` for every secret in it, also where it is quoted or encoded. */
  hide(text: string): string {
    const pattern = this.#compiled();
    return pattern === undefined ? text : text.replace(pattern, MASK);
  }

  /** Where a text has secrets in it, from left to right. */
  find(text: string): TextRange[] {
    const pattern = this.#compiled();
    if (pattern === undefined) return [];
    return [...text.matchAll(pattern)].map(({ 0: secret, index }) => ({ start: index, end: index + secret.length }));
  }

  #compiled(): RegExp | undefined {
    if (this.#forms.size === 0) return undefined;
    this.#pattern ??= patternOf(this.#forms);
    return this.#pattern;
  }
}

function patternOf(forms: ReadonlyMap<string, number>): RegExp {
  // The longest first: one secret may begin with another.
  const alternatives = [...forms].sort(([, a], [, b]) => b - a).map(([pattern]) => pattern);
  return new RegExp(alternatives.join("|"), "g");
}

/** How a secret may appear: as it is, line by line, quoted for shells and JSON, and in the usual encodings. */
function formsOf(secret: string): SecretForm[] {
  // A secret of several lines, such as a key, is printed line by line.
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const texts = new Set([secret, secret.trim(), ...lines]);
  const hidden = [...texts].filter((text) => text.length >= SECRET_LENGTH_MIN);
  return hidden.flatMap((text) => [...[text, ...writtenForms(text)].map(literal), ...base64Forms(text)]);
}

function literal(text: string): SecretForm {
  return { pattern: escapeRegExp(text), length: text.length };
}

function writtenForms(text: string): string[] {
  return [
    shellQuote(text),
    // What stands between the quotes: as in the lines of environment variables, of `set -x`, and of JSON.
    text.replaceAll("'", `'"'"'`),
    text.replaceAll("'", "'\\''"),
    text.replaceAll(/["$\\`]/g, "\\$&"),
    JSON.stringify(text).slice(1, -1),
    ...urlForms(text),
  ];
}

function urlForms(text: string): string[] {
  // Through bytes, because half of a character that UTF-16 splits cannot be encoded.
  const encoded = encodeURIComponent(Buffer.from(text).toString());
  // RFC 3986 reserves some that JavaScript leaves.
  const strict = encoded.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return [encoded, strict].flatMap((form) => [
    form,
    form.replaceAll("%20", "+"),
    form.replaceAll(/%../g, (code) => code.toLowerCase()),
  ]);
}
