import type { OutputStream } from "../../src/cli/cli-context.ts";

/** A terminal that understands what our live area writes, and keeps its screen as text. */
export class FakeTerminal implements OutputStream {
  readonly isTTY = true;
  columns: number;
  writeCount = 0;
  #rows: string[] = [""];
  #row = 0;

  constructor(columns = 80) {
    this.columns = columns;
  }

  /** What a person sees, colours left out. */
  get screen(): string[] {
    return this.#rows.at(-1) === "" ? this.#rows.slice(0, -1) : this.#rows;
  }

  write(text: string): boolean {
    this.writeCount++;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is made of them
    for (const [token, up, command] of text.matchAll(/\x1b\[(\d*)([A-Za-z])|[^\x1b]/gsu)) {
      if (command === "A") this.#row = Math.max(0, this.#row - Number(up));
      else if (command === "J") this.#rows.splice(this.#row, Number.POSITIVE_INFINITY, "");
      else if (token === "\n") this.#newLine();
      else if (command === undefined && token !== "\r") this.#type(token);
    }
    return true;
  }

  #type(character: string): void {
    if ((this.#rows[this.#row] ?? "").length >= this.columns) this.#newLine();
    this.#rows[this.#row] = (this.#rows[this.#row] ?? "") + character;
  }

  #newLine(): void {
    this.#row++;
    this.#rows[this.#row] ??= "";
  }
}
