import { open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "../../base/errors.ts";
import { forEachParallel } from "../../base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { syncDirectory } from "../../linux/files/atomic-file.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { type BlockHash, type BlockMedium, blockDamaged } from "./block-medium.ts";
import { UNFINISHED } from "./store-layout.ts";

const FAN_OUT = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, "0"));
const PARALLEL_MAX = 4;

/** Each block is a file, named by its hash. */
export class BlockFiles implements BlockMedium {
  readonly #directory: string;
  #unsyncedDirectories = new Set<string>();
  #syncing: Promise<void> = Promise.resolve();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<BlockFiles> {
    if ((await readdir(directory)).length < FAN_OUT.length) {
      for (const name of FAN_OUT) await makeDirectories(join(directory, name));
      await syncDirectory(directory);
    }
    return new BlockFiles(directory);
  }

  async keepOnly(isKept: (hash: BlockHash) => boolean): Promise<void> {
    await forEachParallel(FAN_OUT, PARALLEL_MAX, async (prefix) => {
      const directory = join(this.#directory, prefix);
      for (const name of await readdir(directory)) {
        if (!isKept(prefix + name)) await rm(join(directory, name), { force: true });
      }
    });
  }

  async write(hash: BlockHash, data: Buffer): Promise<void> {
    const path = this.nameOf(hash);
    const temporaryPath = path + UNFINISHED;
    try {
      await using file = await open(temporaryPath, "w", 0o600);
      await file.writeFile(data);
      await file.datasync();
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    }
    await rename(temporaryPath, path);
    this.#unsyncedDirectories.add(dirname(path));
  }

  async read(hash: BlockHash, target: Buffer): Promise<void> {
    let bytesRead = 0;
    try {
      await using file = await open(this.nameOf(hash), "r");
      ({ bytesRead } = await file.read(target, 0, SNAPSHOT_BLOCK_BYTES, 0));
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
    if (bytesRead === SNAPSHOT_BLOCK_BYTES) return;
    const has = `it has ${bytesRead} of ${SNAPSHOT_BLOCK_BYTES} bytes`;
    throw blockDamaged(this.nameOf(hash), bytesRead === 0 ? "it is missing or empty" : has);
  }

  view(): undefined {
    return undefined;
  }

  async remove(hash: BlockHash): Promise<void> {
    await rm(this.nameOf(hash), { force: true });
  }

  async sync(): Promise<void> {
    // One after another: a block written for somebody else counts only when the sync that took it is over.
    const before = this.#syncing;
    this.#syncing = (async () => {
      await before.catch(() => {});
      const directories = this.#unsyncedDirectories;
      this.#unsyncedDirectories = new Set();
      await forEachParallel([...directories], PARALLEL_MAX, syncDirectory);
    })();
    await this.#syncing;
  }

  nameOf(hash: BlockHash): string {
    return join(this.#directory, hash.slice(0, 2), hash.slice(2));
  }
}
