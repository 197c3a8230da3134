import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

/** Exact numbers beyond these take long to reckon with, and nobody writes them. */
const EXPONENT_MAX = 100_000;
const NUMBER_LENGTH_MAX = 10_000;

/** The text of a number, as it is kept: all that the lexer takes for one is checked here. */
export function numberText(cursor: TokenCursor, token: Token): string {
  const number = cursor.textOf(token);
  const shown = number.length > 40 ? `${number.slice(0, 40)}…` : number;
  if (!/^\d+(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(number)) {
    cursor.fail(token, { message: `"${shown}" is not a number`, hint: "Text must be in quotes" });
  }
  const exponent = Number(/e(.+)$/i.exec(number)?.[1] ?? 0);
  if (number.length > NUMBER_LENGTH_MAX || Math.abs(exponent) > EXPONENT_MAX) {
    const hint = `A number has at most ${NUMBER_LENGTH_MAX} characters, and an exponent of at most ${EXPONENT_MAX}`;
    cursor.fail(token, { message: `"${shown}" is too large or too exact a number`, hint });
  }
  // "1.e5" is "1e5".
  return number.replace(/\.(?=e)/i, "");
}
