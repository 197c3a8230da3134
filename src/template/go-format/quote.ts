// Go's strconv.Quote: https://pkg.go.dev/strconv#Quote
const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

// Letters, marks, numbers, punctuation, symbols, and of the blanks only ASCII's.
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function isPrintable(character: string): boolean {
  return PRINTABLE.test(character);
}

/** A text in double quotes, or a character in single ones, with Go's escapes. */
export function goQuote(text: string, { quote, isAscii }: { quote: '"' | "'"; isAscii: boolean }): string {
  const escaped = Array.from(text, (character) => escapeOf(character, quote, isAscii));
  return `${quote}${escaped.join("")}${quote}`;
}

function escapeOf(character: string, quote: string, isAscii: boolean): string {
  if (character === quote) return `\\${quote}`;
  const short = ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (isPrintable(character) && !(isAscii && code > 0x7e)) return character;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  // Half of a surrogate pair is no character.
  if (code >= 0xd800 && code <= 0xdfff) return isAscii ? "\\ufffd" : "\ufffd";
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** Whether a text can stand in backquotes on one line. */
export function canBackquote(text: string): boolean {
  return Array.from(text).every((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code > 0x7e) return code !== 0x7f && code !== 0xfeff;
    return character === "\t" || (code >= 0x20 && character !== "`");
  });
}
