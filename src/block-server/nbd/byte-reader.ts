import type { Readable } from "node:stream";

const SKIPPED_AT_ONCE_BYTES = 65_536;

/**
 * Takes bytes from a stream as they are asked for. What nobody asks for is not read, so the other side has to wait.
 *
 * One call at a time.
 */
export class ByteReader {
  readonly #stream: Readable;
  #wake = () => {};

  constructor(stream: Readable) {
    this.#stream = stream;
    for (const event of ["readable", "end", "close", "error"]) stream.on(event, () => this.#wake());
  }

  /** @returns exactly so many bytes, or undefined if the stream ends before. */
  async take(byteCount: number): Promise<Buffer | undefined> {
    if (byteCount === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes: Buffer | null = this.#stream.read(byteCount);
      // At its end a stream gives what is left.
      if (bytes !== null) return bytes.length === byteCount ? bytes : undefined;
      if (this.#stream.readableEnded || this.#stream.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** @returns whether there were so many bytes. */
  async skip(byteCount: number): Promise<boolean> {
    for (let left = byteCount; left > 0; left -= SKIPPED_AT_ONCE_BYTES) {
      if ((await this.take(Math.min(left, SKIPPED_AT_ONCE_BYTES))) === undefined) return false;
    }
    return true;
  }
}
