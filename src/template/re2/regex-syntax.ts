// What a regular expression says: RE2's syntax, which is Go's.
import type { CharacterSet } from "./character-set.ts";

export type RegexNode =
  | { readonly kind: "empty" }
  | { readonly kind: "character"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly at: RegexAssertion }
  | { readonly kind: "group"; readonly index: number; readonly node: RegexNode }
  | { readonly kind: "sequence"; readonly nodes: readonly RegexNode[] }
  /** The first that matches is taken. */
  | { readonly kind: "choice"; readonly nodes: readonly RegexNode[] }
  | {
      readonly kind: "repeat";
      readonly node: RegexNode;
      readonly min: number;
      /** Missing for any number. */
      readonly max: number | undefined;
      readonly isGreedy: boolean;
    };

export type RegexAssertion = "text start" | "text end" | "line start" | "line end" | "word edge" | "no word edge";

export interface ParsedRegex {
  readonly node: RegexNode;
  /** Names of the groups from 1 on; `undefined` for one without a name. */
  readonly groupNames: readonly (string | undefined)[];
}

/** A pattern that is none, or is too much work. The message names the part that is wrong. */
export class RegexError extends Error {
  override readonly name = "RegexError";
}
