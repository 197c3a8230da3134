// What a declaration says of itself. It can use nothing, and is converted as every value is.
import type { ProblemList } from "../../../base/problems.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { BOOL, type HclType, type HclValue, STRING } from "../values/value.ts";
import { tryEvaluate } from "./evaluation.ts";

/** @param what it is, for the problem: `"description" of a variable`. */
export function readText(what: string, expression: Expression | undefined, problems: ProblemList): string | undefined {
  const content = readConstant(what, expression, STRING, problems);
  return typeof content === "string" ? content : undefined;
}

/** @param what it is, for the problem: `"sensitive" of a variable`. */
export function readFlag(what: string, expression: Expression | undefined, problems: ProblemList): boolean {
  return readConstant(what, expression, BOOL, problems) === true;
}

function readConstant(
  what: string,
  expression: Expression | undefined,
  type: HclType,
  problems: ProblemList,
): HclValue["content"] | undefined {
  if (expression === undefined) return undefined;
  const value = tryEvaluate(expression, { scope: { variables: new Map(), functions: new Map() }, problems });
  if (value === undefined) return undefined;
  const location = expression.range.start;
  if (value.content === null) {
    problems.add(`${what} cannot be null`, { location, hint: "Leave it out" });
    return undefined;
  }
  try {
    return convert(value, type).content;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    problems.add(`${what}: ${error.message}`, { location, hint: error.hint });
    return undefined;
  }
}
