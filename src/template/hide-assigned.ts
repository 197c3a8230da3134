import type { ProblemList } from "../base/problems.ts";
import { escapeRegExp } from "../base/secret-forms.ts";

/**
 * Hides what a text seems to give to names. For sensitive ones, where the text cannot be parsed or the value has none:
 * problems show the lines, and quote words.
 */
export function hideAssigned(text: string, names: Iterable<string>, problems: ProblemList): void {
  for (const name of names) {
    const assigned = new RegExp(String.raw`(?<![\w-])${escapeRegExp(name)}"?\s*[=:]\s*([^\n]*)`, "g");
    for (const [, value = ""] of text.matchAll(assigned)) hideWords(value, problems);
  }
}

/** Hides a text and the words in it. */
export function hideWords(text: string, problems: ProblemList): void {
  problems.hide(text.trim());
  for (const [word] of text.matchAll(/[^\s"'`,=:|{}[\]()]+/g)) problems.hide(word);
}
