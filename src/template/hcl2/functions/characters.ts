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
    return [...upper].length === 1 ? upper : letter;
  }).join("");
}

/** Letter by letter: a sigma at the end of a word is one like others. */
export function toLower(text: string): string {
  return Array.from(text, (letter) => [...letter.toLowerCase()][0] ?? letter).join("");
}

/** The first letter of each word in capitals; words end where Go's strings.Title has them end. */
export function toTitle(text: string): string {
  return text.replace(/(?<![\p{L}\p{Nd}_]|[\u0080-\u{10ffff}](?<!\p{White_Space}))\p{L}/gu, (letter) =>
    toUpper(letter),
  );
}
