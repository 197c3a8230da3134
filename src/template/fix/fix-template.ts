import { type JsonChange, JsonDraft } from "../../base/json/json-draft.ts";
import { parseJson } from "../../base/json/parse-json.ts";
import { ProblemList } from "../../base/problems.ts";
import { TemplateError } from "../template-error.ts";
import { FIXERS } from "./fixers.ts";

export interface Change extends JsonChange {
  /** Which of the fixers did it. */
  readonly fixer: string;
}

export interface FixedTemplate {
  readonly text: string;
  /** In the order in which they were made. */
  readonly changes: readonly Change[];
}

/**
 * Rewrites what is old in a JSON template, as Packer's `fix` does. Order and layout stay; a text that is changed is
 * written anew.
 *
 * @param file as it is called in problems.
 * @throws {TemplateError} if it is not JSON.
 */
export function fixTemplate(file: string, source: string): FixedTemplate {
  const problems = new ProblemList();
  if (parseJson(file, source, problems) === undefined || !problems.isEmpty) {
    throw new TemplateError(file, problems.sorted([]));
  }
  let text = source;
  const changes: Change[] = [];
  for (const { name, fix } of FIXERS) {
    if (fix === undefined) continue;
    const draft = new JsonDraft(text);
    fix(draft);
    if (draft.changes.length === 0) continue;
    text = draft.text;
    changes.push(...draft.changes.map((change) => ({ ...change, fixer: name })));
  }
  return { text, changes };
}
