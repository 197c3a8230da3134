// The line of a file that a problem is about, with the place in it that a caret marks.
import { MASK, type SecretFinder, type TextRange } from "./secrets.ts";
import type { SourceLocation } from "./source-location.ts";

/** A line of a text file, or of a very long one what is around the place. */
export interface SourceExcerpt {
  readonly text: string;
  /** What the problem is about in `text`, in UTF-16 code units; `end` is behind it. Never empty but at the line's end. */
  readonly start: number;
  readonly end: number;
}

// More than any terminal shows beside the place.
const SHOWN_AROUND_MAX = 200;
/** Longer than any secret: one that is cut in two could not be recognized. */
const READ_AROUND_MAX = 65_536;

/**
 * The line of a place, with all that must not be shown replaced.
 *
 * @param end of what is meant; without it, the word or the quoted text that begins there is.
 * @returns `undefined` if the text has no such line.
 */
export function excerptAt(
  text: string,
  {
    location,
    end,
    secrets,
  }: { location: SourceLocation; end?: SourceLocation | undefined; secrets: readonly SecretFinder[] },
): SourceExcerpt | undefined {
  const line = lineOf(text, location.line);
  if (line === undefined) return undefined;
  const start = offsetOf(line, location.column);
  const isOnLine = end !== undefined && end.line === location.line;
  const markEnd = end === undefined ? tokenEnd(line, start) : isOnLine ? offsetOf(line, end.column) : line.length;
  const whole = { text: line, start, end: Math.min(Math.max(markEnd, start + 1), Math.max(line.length, start)) };
  const near = around(whole, READ_AROUND_MAX);
  const hidden = secrets.reduce(hideInExcerpt, hideRanges(near, valuesOfSecretKeys(near.text)));
  return around(hidden, SHOWN_AROUND_MAX);
}

/** The excerpt with a mask for every secret; the mark stays where it was. */
export function hideInExcerpt(excerpt: SourceExcerpt, secrets: SecretFinder): SourceExcerpt {
  return hideRanges(excerpt, secrets.find(excerpt.text));
}

function hideRanges({ text, start, end }: SourceExcerpt, ranges: readonly TextRange[]): SourceExcerpt {
  let shown = "";
  let done = 0;
  const moved = { start, end };
  for (const range of ranges) {
    const from = shown.length + range.start - done;
    const shift = (offset: number, old: number): number => {
      if (old <= range.start) return offset;
      // Inside of the secret: the whole mask is marked.
      if (old < range.end) return offset - (old - range.start);
      return offset + MASK.length - (range.end - range.start);
    };
    const endsInside = end > range.start && end < range.end;
    moved.start = shift(moved.start, start);
    moved.end = endsInside ? from + MASK.length : shift(moved.end, end);
    shown += text.slice(done, range.start) + MASK;
    done = range.end;
  }
  return { text: shown + text.slice(done), ...moved };
}

/**
 * What a key whose name says "secret" is set to. A file that cannot be read does not tell what is secret in it. The rest of
 * the name is bounded: a file may be one name of megabytes.
 */
const SECRET_KEY =
  /(?:secret|passw|token|access_key|private_key|api_?key|credential)[\w-]{0,200}["']?\s*[:=]\s*"((?:[^"\\]|\\.)*)/gi;

function valuesOfSecretKeys(text: string): TextRange[] {
  return [...text.matchAll(SECRET_KEY)].flatMap(({ 0: match, 1: value = "", index }) => {
    const end = index + match.length;
    // An expression names a secret, and is none.
    return value === "" || /\{\{|\$\{/.test(value) ? [] : [{ start: end - value.length, end }];
  });
}

function around({ text, start, end }: SourceExcerpt, most: number): SourceExcerpt {
  const from = start > most ? start - most : 0;
  const to = Math.min(text.length, start + most);
  const before = from > 0 ? "…" : "";
  const shift = before.length - from;
  return {
    text: `${before}${text.slice(from, to)}${to < text.length ? "…" : ""}`,
    start: start + shift,
    end: Math.min(end, to) + shift,
  };
}

/** @param number from 1. */
function lineOf(text: string, number: number): string | undefined {
  let start = 0;
  for (let line = 1; line < number; line++) {
    const end = text.indexOf("\n", start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  const line = text.slice(start, end === -1 ? undefined : end);
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

const SURROGATE = /[\ud800-\udfff]/;

/** @param column from 1, in characters: a pair of surrogates is one. */
function offsetOf(line: string, column: number): number {
  if (!SURROGATE.test(line)) return Math.min(column - 1, line.length);
  let offset = 0;
  for (let character = 1; character < column && offset < line.length; character++) {
    offset += (line.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

// A quoted text, a word (also of several parts: `amazon-chroot`, `var.region`), or one character.
const TOKEN = /"(?:[^"\\]|\\.)*"?|[\p{L}\p{N}_]+(?:[.-][\p{L}\p{N}_]+)*|./suy;

function tokenEnd(line: string, start: number): number {
  TOKEN.lastIndex = start;
  return start + (TOKEN.exec(line)?.[0].length ?? 0);
}
