/**
 * A pattern of `-only` or `-except` as Packer's HCL2 has it: `*` is any text, `?` a character, `[a-z]` and `[!a-z]` one of some,
 * `{a,b}` one of several texts, and `\` takes the meaning of the next character away.
 *
 * @returns `undefined` if a bracket or brace is not closed.
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
      const end = text.indexOf("]", index + 2);
      if (end < 0) return undefined;
      source += characterClass(text.slice(index + 1, end));
      index = end;
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
  return openBraces === 0 ? new RegExp(`^(?:${source})$`, "su") : undefined;
}

function characterClass(text: string): string {
  const isNegated = text.startsWith("!");
  const range = /^(.)-(.)$/su.exec(isNegated ? text.slice(1) : text);
  const [, first = "", last = ""] = range ?? [];
  // A range that ends before it begins has nothing in it.
  if (range !== null && first > last) return isNegated ? "." : "(?!)";
  const inside =
    range === null ? classLiteral(isNegated ? text.slice(1) : text) : `${classLiteral(first)}-${classLiteral(last)}`;
  return `[${isNegated ? "^" : ""}${inside}]`;
}

function classLiteral(text: string): string {
  return text.replace(/[\\\]^[-]/g, "\\$&");
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
