import { invalidValue, missingParameter } from "./api-error.ts";

/**
 * Parameters of a Query request: `Name=value`, lists as `Name.1`, structures as
 * `Name.Member`, and any nesting of the two (`Filter.1.Value.2`).
 */
export class Params {
  readonly #flat: ReadonlyMap<string, string>;

  constructor(flat: ReadonlyMap<string, string>) {
    this.#flat = flat;
  }

  static parse(form: string): Params {
    return new Params(new Map(new URLSearchParams(form)));
  }

  /** An empty value counts as absent, as it does in EC2 for ids and names. */
  string(name: string): string | undefined {
    const value = this.#flat.get(name);
    return value === "" ? undefined : value;
  }

  /** Like `string`, but an empty value is the empty text (descriptions and tag values may be empty). */
  text(name: string): string | undefined {
    return this.#flat.get(name);
  }

  /** @throws {ApiError} MissingParameter. */
  required(name: string): string {
    const value = this.string(name);
    if (value === undefined) throw missingParameter(name);
    return value;
  }

  /** @throws {ApiError} InvalidParameterValue. */
  boolean(name: string): boolean | undefined {
    const value = this.string(name);
    if (value === undefined) return undefined;
    if (/^true$/i.test(value)) return true;
    if (/^false$/i.test(value)) return false;
    throw invalidValue(value, name, "Expected a boolean.");
  }

  /** @throws {ApiError} InvalidParameterValue. */
  integer(name: string): number | undefined {
    const value = this.string(name);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,10}$/.test(value)) throw invalidValue(value, name, "Expected an integer.");
    return Number(value);
  }

  /** @throws {ApiError} InvalidParameterValue, when it is none of `allowed`. */
  choice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.string(name);
    if (value === undefined) return undefined;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw invalidValue(value, name, `Expected one of: ${allowed.join(", ")}.`);
    return found;
  }

  /** `Name.1`, `Name.2`, … in numeric order; gaps are allowed. */
  list(name: string): string[] {
    return this.#indexes(name).flatMap((index) => this.text(`${name}.${index}`) ?? []);
  }

  /** `Name.1.…`, `Name.2.…` as parameters of their own. */
  structures(name: string): Params[] {
    return this.#indexes(name).map((index) => this.structure(`${name}.${index}`));
  }

  /** `Name.Member…` as parameters of their own. */
  structure(name: string): Params {
    const prefix = `${name}.`;
    const inner = [...this.#flat].flatMap(([key, value]): [string, string][] =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    );
    return new Params(new Map(inner));
  }

  get isEmpty(): boolean {
    return this.#flat.size === 0;
  }

  has(name: string): boolean {
    return this.#flat.has(name) || !this.structure(name).isEmpty;
  }

  /** Names without what follows the first dot, each once. */
  topLevelNames(): string[] {
    return [...new Set([...this.#flat.keys()].map((key) => key.split(".", 1)[0] ?? key))];
  }

  /** All of it in one canonical text, without the parameters named: to compare two requests. */
  fingerprint(without: readonly string[]): string {
    const kept = [...this.#flat].filter(([key]) => !without.includes(key));
    return JSON.stringify(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #indexes(name: string): number[] {
    const indexes = [...this.#flat.keys()].flatMap((key) => {
      if (!key.startsWith(`${name}.`)) return [];
      const index = key.slice(name.length + 1).split(".", 1)[0] ?? "";
      return /^\d{1,6}$/.test(index) ? [Number(index)] : [];
    });
    return [...new Set(indexes)].sort((a, b) => a - b);
  }
}
