/** Bounds how many bytes are on their way at once. First come, first served. */
export class ByteBudget {
  #freeBytes: number;
  readonly #waiting: { readonly byteCount: number; readonly begin: () => void }[] = [];

  constructor(bytesMax: number) {
    this.#freeBytes = bytesMax;
  }

  /** Resolves when so many bytes are free, and takes them. More than there are in all are never free. */
  async take(byteCount: number): Promise<void> {
    if (this.#waiting.length === 0 && byteCount <= this.#freeBytes) {
      this.#freeBytes -= byteCount;
      return;
    }
    await new Promise<void>((begin) => this.#waiting.push({ byteCount, begin }));
  }

  giveBack(byteCount: number): void {
    this.#freeBytes += byteCount;
    for (
      let next = this.#waiting[0];
      next !== undefined && next.byteCount <= this.#freeBytes;
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#freeBytes -= next.byteCount;
      next.begin();
    }
  }
}
