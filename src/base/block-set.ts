/** Block indexes, a bit for each block of the disk up to the highest. */
export class BlockSet {
  #bits = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(blockIndex: number): boolean {
    return ((this.#bits[blockIndex >>> 3] ?? 0) & (1 << (blockIndex & 7))) !== 0;
  }

  add(blockIndex: number): void {
    if (this.has(blockIndex)) return;
    const byte = blockIndex >>> 3;
    if (byte >= this.#bits.length) {
      const longer = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
      longer.set(this.#bits);
      this.#bits = longer;
    }
    this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (blockIndex & 7));
    this.#size++;
  }
}
