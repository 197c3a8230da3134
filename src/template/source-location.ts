/** A place in a template file. Lines and columns count from 1; a column is a character. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Finds lines and columns of a text by offset. */
export class SourceMap {
  readonly #file: string;
  readonly #text: string;
  readonly #lineStarts: readonly number[];

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    this.#lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  /** @param offset in UTF-16 code units. */
  locate(offset: number): SourceLocation {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const before = this.#text.slice(this.#lineStarts[low], offset);
    return { file: this.#file, line: low + 1, column: [...before].length + 1 };
  }
}
