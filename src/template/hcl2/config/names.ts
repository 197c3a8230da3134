import type { ProblemList } from "../../../base/problems.ts";
import { identifierEnd } from "../syntax/characters.ts";
import type { Block } from "../syntax/syntax-tree.ts";

export const NAME_HINT =
  "A name begins with a letter or an underscore, and has letters, digits, underscores and dashes";

/** Whether an expression could name it so. */
export function isName(text: string): boolean {
  return text !== "" && identifierEnd(text, 0) === text.length;
}

/**
 * Says that something has a name with which no expression can name it.
 *
 * @param what it is, for the problem: "variable".
 */
export function checkName(what: string, label: Block["labels"][number] | undefined, problems: ProblemList): void {
  if (label === undefined || isName(label.text)) return;
  problems.add(`"${label.text}" cannot be the name of a ${what}`, { location: label.range.start, hint: NAME_HINT });
}
