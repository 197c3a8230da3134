import type { Value } from "./value.ts";

/** The variables of a block while it runs; those of the blocks around it are seen through it. */
export class Variables {
  readonly #around: Variables | undefined;
  readonly #own: Map<string, Value>;

  constructor(around?: Variables, own: ReadonlyMap<string, Value> = new Map()) {
    this.#around = around;
    this.#own = new Map(own);
  }

  declare(name: string, value: Value): void {
    this.#own.set(name, value);
  }

  /** Sets the innermost variable of that name. */
  assign(name: string, value: Value): void {
    if (this.#own.has(name) || this.#around === undefined) this.#own.set(name, value);
    else this.#around.assign(name, value);
  }

  valueOf(name: string): Value {
    const value = this.#own.get(name);
    if (value !== undefined) return value;
    if (this.#around === undefined) throw new TypeError(`The variable "${name}" has not been declared`);
    return this.#around.valueOf(name);
  }

  has(name: string): boolean {
    return this.#own.has(name);
  }
}
