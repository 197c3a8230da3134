// What is asked before anything can be evaluated, and so must be written out.
import type { Expression } from "../syntax/syntax-tree.ts";

/** The text of an expression in which nothing is to be evaluated, or `undefined`. */
export function literalText(expression: Expression): string | undefined {
  if (expression.kind === "parentheses") return literalText(expression.expression);
  if (expression.kind !== "template") return undefined;
  let text = "";
  for (const part of expression.parts) {
    if (part.kind !== "text") return undefined;
    text += part.text;
  }
  return text;
}
