import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";

/** Memory that is kept for the next blocks: 32 MiB. */
const FREE_MAX = 64;

/**
 * Buffers of the size of a block that are used again and again.
 *
 * Fresh memory costs more than all else that is done with a block: each of its 128 pages is a fault, together 0.7 to 3
 * ms on a virtual machine, where the copy takes 0.05 ms.
 */
export class BlockBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SNAPSHOT_BLOCK_BYTES);
  }

  /** Nobody may read it or write into it any more. */
  giveBack(buffer: Buffer): void {
    if (this.#free.length < FREE_MAX) this.#free.push(buffer);
  }
}
