/** A place in a text file. Lines and columns count from 1; a column is a character. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Finds lines and columns of a text by offset. Fast for offsets that go up. */
export class SourceMap {
  readonly #file: string;
  readonly #text: string;
  readonly #lineStarts: readonly number[];
  /** The last answer: the next one on its line is counted from there. */
  #last = { offset: 0, line: 0, column: 0 };

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    const lineStarts = [0];
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) lineStarts.push(end + 1);
    this.#lineStarts = lineStarts;
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
    const isAfterLast = low === this.#last.line && offset >= this.#last.offset;
    const start = isAfterLast ? this.#last : { offset: this.#lineStarts[low] ?? 0, column: 0 };
    const column = start.column + characterCount(this.#text, start.offset, offset);
    this.#last = { offset, line: low, column };
    return { file: this.#file, line: low + 1, column: column + 1 };
  }
}

/** A pair of surrogates is one character. */
function characterCount(text: string, start: number, end: number): number {
  let count = 0;
  for (let offset = start; offset < end; offset++) {
    const isSecondOfPair = isSurrogate(text, offset, 0xdc00) && offset > 0 && isSurrogate(text, offset - 1, 0xd800);
    if (!isSecondOfPair) count++;
  }
  return count;
}

/** @param first of the 1,024 code units of its half. */
function isSurrogate(text: string, offset: number, first: 0xd800 | 0xdc00): boolean {
  return (text.charCodeAt(offset) & 0xfc00) === first;
}
