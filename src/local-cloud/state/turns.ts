interface Line {
  /** The last call that is alone, if it has not ended. */
  alone: Promise<void> | undefined;
  /** Calls that came after it, and may overlap. */
  readonly shared: Set<Promise<void>>;
}

/** Which of the things that have an id a call works on, and whether others may do so meanwhile. */
export interface Turn {
  readonly alone?: readonly string[];
  readonly shared?: readonly string[];
}

/** Lets calls for the same id go in the order in which they came: one after the other, or side by side if all share. */
export class Turns {
  readonly #lines = new Map<string, Line>();

  /** A failure is the caller's alone: the next one goes on. */
  take<T>({ alone = [], shared = [] }: Turn, work: () => Promise<T>): Promise<T> {
    const before = new Set<Promise<void>>();
    // All ids are taken at once, so two calls can never wait for each other.
    for (const id of [...alone, ...shared]) {
      const line = this.#lines.get(id);
      if (line?.alone !== undefined) before.add(line.alone);
    }
    for (const id of alone) for (const other of this.#lines.get(id)?.shared ?? []) before.add(other);
    const result = before.size === 0 ? work() : Promise.all(before).then(work);
    const end: Promise<void> = result.then(
      () => this.#leave(end, alone, shared),
      () => this.#leave(end, alone, shared),
    );
    for (const id of alone) this.#lines.set(id, { alone: end, shared: new Set() });
    for (const id of shared) {
      const line = this.#lines.get(id) ?? { alone: undefined, shared: new Set() };
      this.#lines.set(id, line);
      line.shared.add(end);
    }
    return result;
  }

  #leave(end: Promise<void>, ...ids: readonly (readonly string[])[]): void {
    for (const id of ids.flat()) {
      const line = this.#lines.get(id);
      if (line === undefined) continue;
      if (line.alone === end) line.alone = undefined;
      line.shared.delete(end);
      if (line.alone === undefined && line.shared.size === 0) this.#lines.delete(id);
    }
  }
}
