/** Reads lines of standard input, one when asked. In between the input is left alone: others may have the terminal. */
export class LineReader {
  readonly #input: NodeJS.ReadableStream;
  /** What came after the line that was asked for last. */
  #rest = "";
  #hasEnded = false;

  constructor(input: NodeJS.ReadableStream) {
    this.#input = input;
  }

  /**
   * @returns the next line without its end; `undefined` at the end of the input.
   * @throws the signal's reason once it aborts.
   */
  async next(signal: AbortSignal): Promise<string | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const [, line, rest] = /^(.*?)\r?\n(.*)$/s.exec(this.#rest) ?? [];
      if (line !== undefined) {
        this.#rest = rest ?? "";
        return line;
      }
      if (this.#hasEnded) {
        const last = this.#rest;
        this.#rest = "";
        return last === "" ? undefined : last;
      }
      await this.#readMore(signal);
    }
  }

  async #readMore(signal: AbortSignal): Promise<void> {
    const input = this.#input;
    await new Promise<void>((resolve, reject) => {
      const onData = (chunk: Buffer | string) => {
        this.#rest += chunk.toString();
        settle(resolve);
      };
      const onEnd = () => {
        this.#hasEnded = true;
        settle(resolve);
      };
      const onAbort = () => settle(() => reject(signal.reason));
      const settle = (then: () => void) => {
        input.off("data", onData).off("end", onEnd).off("error", onEnd);
        signal.removeEventListener("abort", onAbort);
        input.pause();
        then();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      // A terminal that is gone is an input that has ended.
      input.on("data", onData).once("end", onEnd).once("error", onEnd);
      // One that ended before anybody listened does not say so again.
      if ("readableEnded" in input && input.readableEnded === true) onEnd();
      else input.resume();
    });
  }
}
