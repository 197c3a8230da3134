/**
 * What a reader takes for one character, as cty counts: with its accents, and emoji as a whole.
 *
 * Node's segmenter follows the same standard (UAX #29), in the version of its ICU.
 */
export function charactersOf(text: string): readonly string[] {
  // Of ASCII only this pair is one character.
  if (/^\p{ASCII}*$/u.test(text) && !text.includes("\r\n")) return text.split("");
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Letter by letter, as Go does: "ß" has no single capital, and stays. */
export function toUpper(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text.toUpperCase();
  return Array.from(text, (letter) => {
    const upper = letter.toUpperCase();
    return [...upper].length === 1 ? upper : iotaCapital(letter);
  }).join("");
}

/** Greek with an iota below has one that is a letter of its own; to JavaScript the iota becomes a second letter. */
function iotaCapital(letter: string): string {
  const code = letter.codePointAt(0) ?? 0;
  const candidates = [code + 8, code + 9].map((one) => String.fromCodePoint(one));
  return (code >= 0x1f80 && candidates.find((one) => one.toLowerCase() === letter)) || letter;
}

/** Letter by letter: a sigma at the end of a word is one like others. */
export function toLower(text: string): string {
  return Array.from(text, (letter) => [...letter.toLowerCase()][0] ?? letter).join("");
}

/** The first letter of each word in capitals; words end where Go's strings.Title has them end. */
export function toTitle(text: string): string {
  return text.replace(/(?<![\p{L}\p{Nd}_]|[\u0080-\u{10ffff}](?<!\p{White_Space}))\p{L}/gu, titleLetter);
}

// Each has a capital, a form for titles and a small letter, in this order.
const DIGRAPHS = "ǄǅǆǇǈǉǊǋǌǱǲǳ";

/** The form for the begin of a word: of most letters the capital. */
function titleLetter(letter: string): string {
  const index = DIGRAPHS.indexOf(letter);
  if (index >= 0) return DIGRAPHS[index - (index % 3) + 1] ?? letter;
  // Capitals of Georgian are for whole words only.
  return /[\u10d0-\u10ff]/.test(letter) ? letter : toUpper(letter);
}
