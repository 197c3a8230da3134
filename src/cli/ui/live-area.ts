import type { OutputStream } from "../cli-context.ts";
import { sanitise } from "./sanitise.ts";

// A redraw each 100 ms looks alive, and costs nothing next to a build.
const REDRAW_EVERY_MS = 100;
const COLUMNS_DEFAULT = 80;

/** Lines at the bottom of a terminal that change in place, under lines that stay. */
export class LiveArea implements Disposable {
  readonly #terminal: OutputStream;
  readonly #lines: () => readonly string[];
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  /** Widths of what is drawn now, to know how many rows to take back. */
  #drawnWidths: readonly number[] = [];
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isHidden = false;

  /** @param lines gives the lines to show; called for each redraw. */
  constructor(terminal: OutputStream, lines: () => readonly string[], now: () => number = Date.now) {
    this.#terminal = terminal;
    this.#lines = lines;
    this.#now = now;
    this.#timer = setInterval(() => this.#redraw(""), REDRAW_EVERY_MS);
    // It shows the work; it must not keep the process alive after it.
    this.#timer.unref();
  }

  /** Prints a line that stays. */
  print(line: string): void {
    this.#redraw(`${line}\n`);
  }

  /** Shows a change, unless the last redraw was just now: then the timer does. */
  refresh(): void {
    if (this.#now() - this.#drawnMs >= REDRAW_EVERY_MS) this.#redraw("");
  }

  /** Takes the area away until `show`: the cursor is then somebody else's. */
  hide(): void {
    this.#isHidden = true;
    this.#write(this.#eraseSequence());
    this.#drawnWidths = [];
  }

  show(): void {
    this.#isHidden = false;
    this.#redraw("");
  }

  /** Takes the area away for good. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.hide();
  }

  // Erasing and drawing go out in one write, so that nothing flickers.
  #redraw(permanent: string): void {
    if (this.#isHidden) {
      this.#write(permanent);
      return;
    }
    const erase = this.#eraseSequence();
    const columns = this.#columns();
    const lines = this.#lines().map((line) => fitToWidth(line, columns - 1));
    this.#drawnWidths = lines.map(widthOf);
    this.#drawnMs = this.#now();
    this.#write(erase + permanent + lines.map((line) => `${line}\n`).join(""));
  }

  /** The terminal may have become narrower since: lines that were one row are several now. */
  #eraseSequence(): string {
    const columns = this.#columns();
    const rows = this.#drawnWidths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return rows === 0 ? "" : `\x1b[${rows}A\r\x1b[J`;
  }

  #columns(): number {
    // 0: a pseudo terminal that nobody told its size.
    return Math.max(2, this.#terminal.columns || COLUMNS_DEFAULT);
  }

  #write(text: string): void {
    if (text !== "") this.#terminal.write(text);
  }
}

/** Columns that a text takes, at most: what is not plain ASCII counts as wide, so that no line ever wraps. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of sanitise(text)) width += character <= "~" ? 1 : 2;
  return width;
}

/** Cuts a text, keeping its colours. */
function fitToWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let width = 0;
  let result = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no columns
  for (const [part] of text.matchAll(/\x1b\[[0-9;]*m|./gsu)) {
    const partWidth = part.startsWith("\x1b") ? 0 : widthOf(part);
    if (width + partWidth > columns) continue;
    width += partWidth;
    result += part;
  }
  return result;
}
