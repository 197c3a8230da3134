import type { ProblemList } from "../base/problems.ts";
import { escapeRegExp } from "../base/secret-forms.ts";

/**
 * Hides what a text seems to give to names. For sensitive ones, where the text cannot be parsed or the value has none:
 * problems show the lines, and quote words.
 */
export function hideAssigned(text: string, names: Iterable<string>, problems: ProblemList): void {
  for (const name of names) {
    const assigned = new RegExp(String.raw`(?<![\w-])${escapeRegExp(name)}["']?\s*[=:]`, "g");
    for (const { 0: match, index } of text.matchAll(assigned)) {
      hideWords(valueAt(text, { line: text.lastIndexOf("\n", index) + 1, value: index + match.length }), problems);
    }
  }
}

/**
 * A value as far as it may go: to the next line that is indented no deeper, and gives something to another name. Of what
 * cannot be parsed, more is better than less.
 *
 * @param start where the line begins in which the name stands, and behind the sign after it.
 */
function valueAt(text: string, start: { line: number; value: number }): string {
  const indent = indentOf(text.slice(start.line));
  const [first = "", ...others] = text.slice(start.value).split("\n");
  const [, mark] = /<<[-~]?(\w+)\s*$/.exec(first) ?? [];
  const end =
    mark === undefined
      ? others.findIndex(
          (line) => indentOf(line) <= indent && /^\s*["']?[\w-]+["']?\s*(?:[=:]|["\w-][^=]*\{)/.test(line),
        )
      : others.findIndex((line) => line.trim() === mark);
  return [first, ...(end === -1 ? others : others.slice(0, end))].join("\n");
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)?.[0].length ?? 0;
}

/** Hides a text: each of its lines, and where something is quoted, the words in it. */
export function hideWords(text: string, problems: ProblemList): void {
  for (const line of text.split("\n")) problems.hideWord(line.trim());
  for (const [word] of text.matchAll(/[^\s"'`,=:|{}[\]()]+/g)) problems.hideWord(word);
  for (const [word] of text.matchAll(/[\p{L}\p{Nd}_-]+/gu)) problems.hideWord(word);
}
