// What is made of a sensitive value is known by the names in its expression alone: it is another text than the secret.

import { MASK } from "../../../base/secrets.ts";
import { references } from "../evaluate/references.ts";
import { functionNames, type Scope } from "../evaluate/scope.ts";
import type { Expression } from "../syntax/syntax-tree.ts";

export function usesSensitive(expression: Expression, { sensitiveNames }: Scope): boolean {
  if (sensitiveNames === undefined || sensitiveNames.size === 0) return false;
  return references(expression).some(({ path: [root = "", name] }) =>
    name === undefined
      ? [...sensitiveNames].some((sensitive) => sensitive.startsWith(`${root}.`))
      : sensitiveNames.has(`${root}.${name}`),
  );
}

// In quotes; a regular expression, which may have such marks in it and ends the message; and numbers of as many digits as a
// secret has.
const SHOWN_VALUE = /"((?:[^"\\]|\\.)*)"\u2026?|`.*|(?<![\w.])-?\d[\d.]{3,}(?:e[+-]?\d+)?/gis;
const NO_FUNCTION = /^There is no function /;

/** A message or a hint about an expression, without the values that it shows. The names of functions and operators stay. */
export function withoutValues(message: string, scope: Scope): string {
  if (NO_FUNCTION.test(message)) return message;
  const kept = new Set(functionNames(scope));
  return message.replace(SHOWN_VALUE, (shown: string, text?: string) => {
    if (text === undefined) return MASK;
    return kept.has(text) || /^(?:\W{1,3}|for)$/.test(text) ? shown : `"${MASK}"`;
  });
}
