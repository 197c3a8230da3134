import type { Complaint } from "./token.ts";

/** Quotes that word processors put for straight ones. */
const FANCY_QUOTES = /^[\u201c-\u201f\u00ab\u00bb\u2018-\u201b]/u;

/** What somebody may have meant by a character that no token begins with. */
export function strangeCharacter(text: string, offset: number): { length: number; complaint: Complaint } {
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0xfffd);
  const { length } = character;
  if (FANCY_QUOTES.test(character)) {
    return {
      length,
      complaint: { message: `${character} is no quote of HCL`, hint: 'Texts are quoted with straight ""' },
    };
  }
  switch (character) {
    case "'":
    case "`":
      return { length, complaint: { message: `Texts are not quoted with ${character}`, hint: 'Write "…"' } };
    case "&":
      return { length, complaint: { message: 'There is no operator "&"', hint: 'The logical "and" is "&&"' } };
    case "|":
      return { length, complaint: { message: 'There is no operator "|"', hint: 'The logical "or" is "||"' } };
    case "^":
    case "~":
      return { length, complaint: { message: `There is no operator "${character}"` } };
    case ";":
      return { length, complaint: { message: '";" has no meaning', hint: "The end of the line ends an argument" } };
    case "$":
      return strangeDollar(text, offset);
    case "\r":
      return { length, complaint: { message: 'A line ends with "\\r" alone', hint: 'Lines end with "\\n"' } };
    default:
      return { length, complaint: { message: `The character ${describe(character)} has no meaning here` } };
  }
}

function strangeDollar(text: string, offset: number): { length: number; complaint: Complaint } {
  const message = '"$" has no meaning outside of a text';
  const hint = text[offset + 1] === "{" ? `Write the expression without "\${ }", or the whole in quotes` : undefined;
  return { length: 1, complaint: { message, hint } };
}

function describe(character: string): string {
  const number = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character) ? `"${character}" (U+${number})` : `U+${number}`;
}
