/**
 * A pattern of `-only` or `-except` as Packer's HCL2 has it: `*` is any text, `?` a character, `[a-z]` and `[!a-z]` one of some,
 * `{a,b}` one of several texts, and `\` takes the meaning of the next character away.
 *
 * @returns `undefined` if a bracket is not closed, or nothing or no range stands in it. Braces need not be closed.
 */
export function buildPattern(text: string): RegExp | undefined {
  let source = "";
  let openBraces = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? "";
    if (character === "*") {
      // Several are as good as one, and quicker.
      if (!source.endsWith(".*")) source += ".*";
    } else if (character === "?") {
      source += ".";
    } else if (character === "\\") {
      index++;
      source += literal(text[index] ?? "\\");
    } else if (character === "[") {
      const found = characterClass(text.slice(index));
      if (found === undefined) return undefined;
      source += found.source;
      index += found.length - 1;
    } else if (character === "{") {
      openBraces++;
      source += "(?:";
    } else if (character === "}" && openBraces > 0) {
      openBraces--;
      source += ")";
    } else if (character === "," && openBraces > 0) {
      source += "|";
    } else {
      source += literal(character);
    }
  }
  return new RegExp(`^(?:${source}${")".repeat(openBraces)})$`, "su");
}

/** The class that `text` begins with, and how long it is there. */
function characterClass(text: string): { source: string; length: number } | undefined {
  const [opening = ""] = /^\[!?/.exec(text) ?? [];
  const rest = text.slice(opening.length);
  const isRange = /^.-/su.test(rest);
  const found = (isRange ? /^(.)-(.)\]/su : /^((?:\\.|[^\\\]])+)\]/su).exec(rest);
  if (found === null) return undefined;
  const [{ length }, first = "", last = ""] = found;
  if (isRange && (first.codePointAt(0) ?? 0) > (last.codePointAt(0) ?? 0)) return undefined;
  const inside = isRange
    ? `${classLiteral(first)}-${classLiteral(last)}`
    : classLiteral(first.replaceAll(/\\(.)/gsu, "$1"));
  return { source: `[${opening === "[!" ? "^" : ""}${inside}]`, length: opening.length + length };
}

function classLiteral(text: string): string {
  return text.replace(/[\\\]^[-]/g, "\\$&");
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
