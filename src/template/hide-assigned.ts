import type { ProblemList } from "../base/problems.ts";
import { escapeRegExp } from "../base/secret-forms.ts";

/**
 * Hides what a text seems to give to names. For sensitive ones, where the text cannot be parsed or the value has none:
 * problems show the lines, and quote words.
 */
export function hideAssigned(text: string, names: Iterable<string>, problems: ProblemList): void {
  for (const name of names) {
    const assigned = new RegExp(String.raw`(?<![\w-])${escapeRegExp(name)}["']?\s*[=:]`, "g");
    let hiddenTo = 0;
    for (const { 0: match, index } of text.matchAll(assigned)) {
      // In a value that is hidden already, there is no other.
      if (index < hiddenTo) continue;
      const start = index + match.length;
      hiddenTo = endOfValue(text, { line: text.lastIndexOf("\n", index) + 1, value: start });
      problems.hideText(text.slice(start, hiddenTo));
    }
  }
}

// A line that gives something to another name, or begins a block.
const NEXT = /^\s*["']?[\w-]+["']?\s*(?:[=:]|["\w-][^=]*\{)/;

/**
 * Where a value ends at the latest: at the next line that is indented no deeper and gives something to another name. Of what
 * cannot be parsed, more is better than less.
 *
 * @param start where the line begins in which the name stands, and behind the sign after it.
 */
function endOfValue(text: string, start: { line: number; value: number }): number {
  const indent = indentAt(text, start.line);
  let end = endOfLine(text, start.value);
  const [, mark] = /<<[-~]?(\w+)\s*$/.exec(text.slice(start.value, end)) ?? [];
  while (end < text.length) {
    const next = endOfLine(text, end + 1);
    const line = text.slice(end + 1, next);
    const isEnd = mark === undefined ? indentAt(line, 0) <= indent && NEXT.test(line) : line.trim() === mark;
    if (isEnd) break;
    end = next;
  }
  return end;
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end === -1 ? text.length : end;
}

function indentAt(text: string, start: number): number {
  let end = start;
  while (text[end] === " " || text[end] === "\t") end++;
  return end - start;
}
