// What is asked before anything can be evaluated, and so must be written out.
import type { ProblemList } from "../../../base/problems.ts";
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

/** @param what it is, for the problem: `"description" of a variable`. */
export function readText(what: string, expression: Expression | undefined, problems: ProblemList): string | undefined {
  if (expression === undefined) return undefined;
  const text = literalText(expression);
  if (text === undefined) {
    problems.add(`${what} must be a text without expressions`, { location: expression.range.start });
  }
  return text;
}

/** @param what it is, for the problem: `"sensitive" of a variable`. */
export function readFlag(what: string, expression: Expression | undefined, problems: ProblemList): boolean {
  if (expression === undefined) return false;
  const isLiteral = expression.kind === "literal" && typeof expression.value === "boolean";
  if (!isLiteral) problems.add(`${what} must be true or false`, { location: expression.range.start });
  return isLiteral && expression.value === true;
}
