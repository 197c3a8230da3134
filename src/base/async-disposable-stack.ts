type Release = () => PromiseLike<void> | void;

/**
 * The part of the standard `AsyncDisposableStack` that amibake uses.
 *
 * Node 20 has `Symbol.asyncDispose` but not this class. Delete this file when
 * the oldest supported Node is 24.
 */
export class AsyncDisposableStack implements AsyncDisposable {
  #releases: Release[] = [];
  #disposed = false;

  /** Takes ownership of `resource` and hands it straight back. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Runs `release` when the stack is disposed. Last in, first out. */
  defer(release: Release): void {
    if (this.#disposed) throw new ReferenceError("Cannot add to a disposed stack");
    this.#releases.push(release);
  }

  /** Moves ownership to a new stack. This one will then release nothing. */
  move(): AsyncDisposableStack {
    if (this.#disposed) throw new ReferenceError("Cannot move a disposed stack");
    const moved = new AsyncDisposableStack();
    moved.#releases = this.#releases;
    this.#releases = [];
    this.#disposed = true;
    return moved;
  }

  /**
   * Runs every release once, even when some fail. Calling it again does nothing.
   *
   * @throws the release error, or a `SuppressedError` chain when several failed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    let failure: { error: unknown } | undefined;
    for (const release of this.#releases.splice(0).reverse()) {
      try {
        await release();
      } catch (error) {
        failure = { error: failure === undefined ? error : suppressed(error, failure.error) };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}

function suppressed(error: unknown, earlier: unknown): Error {
  const result = new Error("An error was suppressed during disposal");
  return Object.assign(result, { name: "SuppressedError", error, suppressed: earlier });
}
