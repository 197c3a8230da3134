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

/** A message about an expression, without the values that it quotes. The names of functions and operators stay. */
export function withoutValues(message: string, scope: Scope): string {
  const kept = new Set(functionNames(scope));
  return message.replace(/"((?:[^"\\]|\\.)*)"…?/gs, (quoted, text: string) =>
    kept.has(text) || /^(?:\W{1,3}|for)$/.test(text) ? quoted : `"${MASK}"`,
  );
}
