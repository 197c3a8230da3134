import type { SourceExcerpt } from "../../base/source-excerpt.ts";
import type { Colours } from "./colours.ts";
import { type Grapheme, graphemesOf } from "./text-width.ts";

// With the line's number and the indentation, no wider than the usual terminal.
const COLUMNS_MAX = 66;
/** Of a line that is too long, this much before the place is shown. */
const COLUMNS_BEFORE = 24;
const TAB = "    ";

/**
 * Two lines: the one of the file, and carets under the place.
 *
 *     12 |   "typ": "amazon-chroot",
 *        |   ^^^^^
 */
export function formatExcerpt({ text, start, end }: SourceExcerpt, line: number, colours: Colours): string[] {
  const { shown, mark } = cutAround(graphemesOf(text), { start, end });
  const number = String(line);
  const source = shown.map((grapheme) => grapheme.text).join("");
  const carets = " ".repeat(mark.column) + colours.red(colours.bold("^".repeat(mark.width)));
  return [
    `${colours.dim(`${number} |`)} ${source}`.trimEnd(),
    `${colours.dim(`${" ".repeat(number.length)} |`)} ${carets}`,
  ];
}

interface Mark {
  readonly column: number;
  readonly width: number;
}

/** What is shown of a line, and what is marked of it, in columns. */
function cutAround(
  line: readonly Grapheme[],
  { start, end }: Pick<SourceExcerpt, "start" | "end">,
): { shown: readonly Grapheme[]; mark: Mark } {
  const graphemes = line.map((grapheme) => (grapheme.text === "\t" ? { ...grapheme, text: TAB, width: 4 } : grapheme));
  const before = graphemes.filter((grapheme) => grapheme.end <= start);
  const marked = graphemes.slice(before.length).filter((grapheme) => grapheme.start < end);
  const after = graphemes.slice(before.length + marked.length);
  if (widthOf(graphemes) <= COLUMNS_MAX) {
    return { shown: graphemes, mark: { column: widthOf(before), width: Math.max(1, widthOf(marked)) } };
  }
  const shownBefore = lastOf(before, Math.max(COLUMNS_BEFORE, COLUMNS_MAX - widthOf(marked) - widthOf(after)));
  const shownMarked = firstOf(marked, COLUMNS_MAX - widthOf(shownBefore));
  const shownAfter = firstOf(after, COLUMNS_MAX - widthOf(shownBefore) - widthOf(shownMarked));
  return {
    shown: [...shownBefore, ...shownMarked, ...shownAfter],
    mark: { column: widthOf(shownBefore), width: Math.max(1, widthOf(shownMarked)) },
  };
}

const ELLIPSIS: Grapheme = { text: "…", start: 0, end: 0, width: 1 };

function firstOf(graphemes: readonly Grapheme[], columns: number): readonly Grapheme[] {
  return fitting(graphemes, columns, (kept) => [...kept, ELLIPSIS]);
}

function lastOf(graphemes: readonly Grapheme[], columns: number): readonly Grapheme[] {
  return fitting([...graphemes].reverse(), columns, (kept) => [...kept, ELLIPSIS]).toReversed();
}

function fitting(
  graphemes: readonly Grapheme[],
  columns: number,
  shorten: (kept: readonly Grapheme[]) => readonly Grapheme[],
): readonly Grapheme[] {
  if (widthOf(graphemes) <= columns) return graphemes;
  const kept: Grapheme[] = [];
  let width = 1;
  for (const grapheme of graphemes) {
    width += grapheme.width;
    if (width > columns) break;
    kept.push(grapheme);
  }
  return columns < 1 ? [] : shorten(kept);
}

function widthOf(graphemes: readonly Grapheme[]): number {
  return graphemes.reduce((sum, { width }) => sum + width, 0);
}
