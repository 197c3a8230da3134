const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

// The scripts whose letters fill two columns, their punctuation, and pictures.
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u;
const WITHOUT_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** What a reader sees as one character, with the columns that it takes of a terminal: 0, 1 or 2. */
export interface Grapheme {
  readonly text: string;
  /** In UTF-16 code units; `end` is behind it. */
  readonly start: number;
  readonly end: number;
  readonly width: number;
}

export function graphemesOf(text: string): Grapheme[] {
  return Array.from(GRAPHEMES.segment(text), ({ segment, index }) => ({
    text: segment,
    start: index,
    end: index + segment.length,
    width: WITHOUT_WIDTH.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1,
  }));
}
