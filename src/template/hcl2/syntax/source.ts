import { type SourceLocation, SourceMap } from "../../../base/source-location.ts";
import type { SourceRange } from "./syntax-tree.ts";

/** A text to parse, and where its characters stand in a file: not the same if it is a string of a JSON file. */
export interface Source {
  readonly text: string;
  /** @param offset in UTF-16 code units of `text`. */
  readonly locate: (offset: number) => SourceLocation;
}

/** A file that is parsed whole. */
export function fileSource(file: string, text: string): Source {
  const map = new SourceMap(file, text);
  return { text, locate: (offset) => map.locate(offset) };
}

/** Counts lines and columns only when it is asked: of most of a tree nobody ever asks. */
class OffsetRange implements SourceRange {
  readonly #source: Source;
  readonly #start: number;
  readonly #end: number;

  constructor(source: Source, start: number, end: number) {
    this.#source = source;
    this.#start = start;
    this.#end = end;
  }

  get start(): SourceLocation {
    return this.#source.locate(this.#start);
  }

  get end(): SourceLocation {
    return this.#source.locate(this.#end);
  }
}

/** @param start and `end` in UTF-16 code units; `end` is just behind the last. */
export function rangeOf(source: Source, start: number, end: number): SourceRange {
  return new OffsetRange(source, start, end);
}
