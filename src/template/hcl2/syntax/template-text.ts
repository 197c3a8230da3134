import type { SourceLocation } from "../../../base/source-location.ts";
import { leadingSpaceEnd, trailingSpaceStart } from "./characters.ts";
import type { Source } from "./source.ts";

/** A run of text that stands in the source as it is: without an escape in it. */
interface Run {
  /** In the text, in UTF-16 code units. */
  readonly at: number;
  readonly sourceOffset: number;
}

/** The text of one token of a template, and where each character of it comes from. */
export class TemplateText {
  text = "";
  readonly #runs: Run[] = [];

  /** Adds what stands in the source as `written` from `sourceOffset` on, and means `text`. */
  append(text: string, sourceOffset: number): void {
    this.#runs.push({ at: this.text.length, sourceOffset });
    this.text += text;
  }

  trimStart(): void {
    this.dropStart(leadingSpaceEnd(this.text));
  }

  trimEnd(): void {
    this.text = this.text.slice(0, trailingSpaceStart(this.text));
  }

  /** @param length in UTF-16 code units. */
  dropStart(length: number): void {
    const runs = this.#runs.map(({ at, sourceOffset }) => ({
      at: Math.max(0, at - length),
      sourceOffset: sourceOffset + Math.max(0, length - at),
    }));
    const first = this.#runs.findLastIndex(({ at }) => at <= length);
    this.#runs.splice(0, this.#runs.length, ...runs.slice(Math.max(0, first)));
    this.text = this.text.slice(length);
  }

  /** Adds the text of the next token. */
  meld(next: TemplateText): void {
    const { length } = this.text;
    for (const { at, sourceOffset } of next.#runs) this.#runs.push({ at: length + at, sourceOffset });
    this.text += next.text;
  }

  /** @returns what finds the place of a character, by its offset in UTF-16 code units. */
  locator(source: Source): (offset: number) => SourceLocation {
    const runs = this.#runs;
    return (offset) => {
      let low = 0;
      let high = runs.length;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if ((runs[middle]?.at ?? 0) <= offset) low = middle;
        else high = middle;
      }
      const run = runs[low];
      return source.locate(run === undefined ? 0 : run.sourceOffset + (offset - run.at));
    };
  }
}
