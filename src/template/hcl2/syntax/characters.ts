// What HCL2 takes for space, and for a part of a name.

const IDENTIFIER_START = /^\p{ID_Start}$/u;
const IDENTIFIER_PART = /^[\p{ID_Continue}-]$/u;

/** What Go's unicode.IsSpace says: with U+0085, without U+FEFF, other than JavaScript's. */
export function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  if (code <= 0x200a) return code === 0x1680 || code >= 0x2000;
  return code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

// A regular expression is compiled when it is first used: sooner than a loop, in a program that runs so shortly.
const ASCII_IDENTIFIER = /[A-Za-z_][\w-]*/y;

/** @returns the offset behind the identifier that begins at `start`: `start` itself if none does. */
export function identifierEnd(text: string, start: number): number {
  ASCII_IDENTIFIER.lastIndex = start;
  const end = ASCII_IDENTIFIER.test(text) ? ASCII_IDENTIFIER.lastIndex : start;
  return text.charCodeAt(end) >= 0x80 ? foreignIdentifierEnd(text, start, end) : end;
}

/** @param from the offset of its first character beyond ASCII. */
function foreignIdentifierEnd(text: string, start: number, from: number): number {
  let offset = from;
  for (;;) {
    const codePoint = text.codePointAt(offset) ?? 0;
    if (!(offset === start ? IDENTIFIER_START : IDENTIFIER_PART).test(String.fromCodePoint(codePoint))) return offset;
    offset += codePoint > 0xffff ? 2 : 1;
  }
}

/** `text` without the space around it. */
export function trimSpace(text: string): string {
  const end = trailingSpaceStart(text);
  return text.slice(Math.min(leadingSpaceEnd(text), end), end);
}

/** @returns how many code units of space `text` begins with. */
export function leadingSpaceEnd(text: string): number {
  let offset = 0;
  while (offset < text.length && isSpace(text.charCodeAt(offset))) offset++;
  return offset;
}

/** @returns the offset behind which there is only space. */
export function trailingSpaceStart(text: string): number {
  let offset = text.length;
  while (offset > 0 && isSpace(text.charCodeAt(offset - 1))) offset--;
  return offset;
}
