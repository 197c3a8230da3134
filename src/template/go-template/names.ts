interface Name {
  /** Whether its value may be all the build variables together. */
  isData: boolean;
}

/** The variables that exist at a place of a template, of this block and of those around it. */
export class Names {
  readonly #around: Names | undefined;
  readonly #own = new Map<string, Name>();

  constructor(around: Names | undefined) {
    this.#around = around;
  }

  declare(name: string, isData: boolean): void {
    this.#own.set(name, { isData });
  }

  assign(name: string, isData: boolean): void {
    const found = this.find(name);
    if (found !== undefined && isData) found.isData = true;
  }

  find(name: string): (Readonly<Name> & Name) | undefined {
    return this.#own.get(name) ?? this.#around?.find(name);
  }

  /** Whether the variable belongs to the outermost level; `$` never changes. */
  isOutermost(name: string): boolean {
    if (name === "$") return false;
    return this.#own.has(name) ? this.#around === undefined : (this.#around?.isOutermost(name) ?? false);
  }

  /** All that somebody may have meant: not `$`. */
  *all(): Iterable<string> {
    for (const name of this.#own.keys()) if (name !== "$") yield name;
    if (this.#around !== undefined) yield* this.#around.all();
  }
}
