/** A text that is no CSV. The message is a clause. */
export class CsvError extends Error {
  override readonly name = "CsvError";
}

/**
 * Reads comma-separated values as Go's encoding/csv does: RFC 4180, empty lines left out, every record as long as the first,
 * and quotes only where they belong.
 *
 * @throws {CsvError}
 */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const reader = new CsvReader(text.replace(/\r\n/g, "\n").replace(/\r$/, ""));
  const records = [...reader.records()];
  const [first] = records;
  for (const { line, fields } of records) {
    if (first === undefined || fields.length === first.fields.length) continue;
    throw new CsvError(`line ${line} has ${fields.length} fields where the first has ${first.fields.length}`);
  }
  return records.map(({ fields }) => fields);
}

class CsvReader {
  readonly #text: string;
  #position = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  *records(): Generator<{ line: number; fields: readonly string[] }> {
    while (this.#position < this.#text.length) {
      if (this.#take("\n")) continue;
      const line = this.#line;
      const fields = [this.#field()];
      while (this.#take(",")) fields.push(this.#field());
      this.#take("\n");
      yield { line, fields };
    }
  }

  #field(): string {
    if (this.#take('"')) return this.#quoted();
    const field = this.#until(/[,\n]/g);
    if (field.includes('"')) throw new CsvError(`line ${this.#line} has a quote in a field that is not quoted`);
    return field;
  }

  #quoted(): string {
    const startLine = this.#line;
    let field = this.#until(/"/g);
    while (this.#take('"')) {
      if (!this.#take('"')) {
        const next = this.#text.charAt(this.#position);
        if (next === "" || next === "," || next === "\n") return field;
        throw new CsvError(`line ${this.#line} has "${next}" behind the quote that ends a field`);
      }
      field += `"${this.#until(/"/g)}`;
    }
    throw new CsvError(`the quoted field that begins in line ${startLine} does not end`);
  }

  #until(end: RegExp): string {
    end.lastIndex = this.#position;
    const stop = end.exec(this.#text)?.index ?? this.#text.length;
    const text = this.#text.slice(this.#position, stop);
    this.#advance(text);
    return text;
  }

  #take(character: string): boolean {
    if (!this.#text.startsWith(character, this.#position)) return false;
    this.#advance(character);
    return true;
  }

  #advance(text: string): void {
    this.#position += text.length;
    this.#line += text.split("\n").length - 1;
  }
}
