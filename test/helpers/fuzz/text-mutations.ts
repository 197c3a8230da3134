// Damage that a text of any language can take.

import { type Random, upTo } from "./chance.ts";

/** Its name, and what it does to a text; `seeds` are those of the same language. */
export type Mutation = readonly [string, (text: string, random: Random, seeds: readonly string[]) => string];

export function replaceMatch(pattern: RegExp, text: string, by: (match: string) => string, random: Random): string {
  const matches = [...text.matchAll(pattern)];
  const match = matches[upTo(matches.length, random)];
  if (match === undefined) return text;
  return text.slice(0, match.index) + by(match[0]) + text.slice(match.index + match[0].length);
}

export function pieceOf(text: string, random: Random): string {
  const start = upTo(text.length, random);
  return text.slice(start, start + upTo(200, random));
}
