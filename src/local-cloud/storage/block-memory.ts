import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { type BlockHash, type BlockMedium, blockDamaged } from "./block-medium.ts";

/** Many blocks at once, as a buffer of its own for each keeps the garbage collector busy. */
const SLAB_BLOCKS = 64;

/** Blocks in memory: for measuring, as nothing survives. */
export class BlockMemory implements BlockMedium {
  readonly #blocks = new Map<BlockHash, Buffer>();
  readonly #free: Buffer[] = [];

  async keepOnly(isKept: (hash: BlockHash) => boolean): Promise<void> {
    for (const hash of [...this.#blocks.keys()]) if (!isKept(hash)) await this.remove(hash);
  }

  async write(hash: BlockHash, data: Buffer): Promise<void> {
    const place = this.#place();
    data.copy(place);
    this.#blocks.set(hash, place);
  }

  async read(hash: BlockHash, target: Buffer): Promise<void> {
    this.view(hash).copy(target);
  }

  view(hash: BlockHash): Buffer {
    const data = this.#blocks.get(hash);
    if (data === undefined) throw blockDamaged(this.nameOf(hash), "it is missing");
    return data;
  }

  async remove(hash: BlockHash): Promise<void> {
    const place = this.#blocks.get(hash);
    this.#blocks.delete(hash);
    if (place !== undefined) this.#free.push(place);
  }

  async sync(): Promise<void> {}

  nameOf(hash: BlockHash): string {
    return hash;
  }

  #place(): Buffer {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const slab = Buffer.allocUnsafeSlow(SLAB_BLOCKS * SNAPSHOT_BLOCK_BYTES);
    const places = Array.from({ length: SLAB_BLOCKS }, (_, index) =>
      slab.subarray(index * SNAPSHOT_BLOCK_BYTES, (index + 1) * SNAPSHOT_BLOCK_BYTES),
    );
    this.#free.push(...places.slice(1).reverse());
    return places[0] as Buffer;
  }
}
