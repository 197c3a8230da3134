import { shellQuote } from "../../base/shell-quote.ts";

const MASK = "<sensitive>";

// A line of a secret that is shorter, such as a closing brace, gives nothing away.
const LINE_LENGTH_MIN = 4;

/** Makes a function that replaces every secret in a text by `<sensitive>`. */
export function createMask(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === "") continue;
    forms.add(secret);
    // A command line that is printed holds it quoted.
    forms.add(shellQuote(secret));
    // A secret of several lines, such as a key, is printed line by line.
    for (const line of secret.split(/\r?\n/)) {
      if (line.trim().length >= LINE_LENGTH_MIN) forms.add(line.trim());
    }
  }
  if (forms.size === 0) return (text) => text;
  // The longest first: one secret may begin with another.
  const alternatives = [...forms].sort((a, b) => b.length - a.length).map(escapeRegExp);
  const pattern = new RegExp(alternatives.join("|"), "g");
  return (text) => text.replace(pattern, MASK);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
