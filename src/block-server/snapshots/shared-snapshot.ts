import type { HashedBlock } from "../../aws/ebs-api.ts";
import { ZERO_BLOCK_HASH, ZERO_BLOCK_SHA256 } from "../../base/zero-block.ts";
import type { BlockCache } from "../cache/block-cache.ts";
import { type BlockHash, hexOf } from "../cache/block-hash.ts";
import { BlockMap, type SnapshotListing } from "./block-map.ts";
import { Flights } from "./flights.ts";
import { HashAppender, readHashes, readListing, writeListing } from "./snapshot-index.ts";

/** Who wants blocks of a snapshot, and can fetch them from EBS with credentials of its own. */
export interface BlockFetcher {
  list(): Promise<SnapshotListing>;
  /** @returns undefined if EBS does not keep the block: it is zero. */
  fetch(blockIndex: number): Promise<HashedBlock | undefined>;
  /** Told of each block that it got without fetching it itself. */
  onCached(blockIndex: number): void;
}

/**
 * A snapshot, whoever uses it: a block is fetched once for all, if it is not in the cache.
 *
 * A snapshot that is completed never changes, so what was seen of it once stays true.
 */
export class SharedSnapshot implements AsyncDisposable {
  readonly #cache: BlockCache;
  /** Of its index; see src/block-server/snapshots/snapshot-index.ts. */
  readonly #path: string;
  readonly #appender: HashAppender;
  readonly #listings = new Flights<"listing", BlockFetcher, BlockMap>();
  readonly #fetches = new Flights<number, BlockFetcher, Uint8Array | undefined>();
  readonly #background = new Set<Promise<void>>();
  #map: BlockMap | undefined;

  constructor(cache: BlockCache, path: string) {
    this.#cache = cache;
    this.#path = path;
    this.#appender = new HashAppender(path);
  }

  /** The blocks of the snapshot: they are listed if nobody has done so before. */
  async map(by: BlockFetcher): Promise<BlockMap> {
    return this.#map ?? this.#listings.join("listing", by, () => this.#openMap(by));
  }

  /** @returns undefined if all of the block is zero. The bytes are not the caller's to change. */
  async read(blockIndex: number, by: BlockFetcher): Promise<Uint8Array | undefined> {
    const map = await this.map(by);
    const cached = await this.#cached(map, blockIndex, by);
    if (cached !== undefined) return cached.data;
    let hasFetched = false;
    const data = await this.#fetches.join(blockIndex, by, async () => {
      // Another one's fetch may have ended since we looked.
      const late = await this.#cached(map, blockIndex, by);
      if (late !== undefined) return late.data;
      hasFetched = true;
      return this.#fetch(map, blockIndex, by);
    });
    if (!hasFetched) by.onCached(blockIndex);
    return data;
  }

  /** @returns undefined if the block is not allocated. */
  async hash(blockIndex: number, by: BlockFetcher): Promise<BlockHash | undefined> {
    const map = await this.map(by);
    if (!map.isAllocated(blockIndex)) return undefined;
    if (map.hashOf(blockIndex) === undefined) await this.read(blockIndex, by);
    return map.hashOf(blockIndex);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#background);
    await this.#appender[Symbol.asyncDispose]();
  }

  async #openMap(by: BlockFetcher): Promise<BlockMap> {
    const [known, hashes] = await Promise.all([readListing(this.#path), readHashes(this.#path)]);
    const listing = known ?? (await by.list());
    const map = new BlockMap(listing);
    for (const { blockIndex, sha256 } of hashes) map.learn(blockIndex, sha256);
    if (known === undefined) this.#inBackground(writeListing(this.#path, listing));
    this.#map = map;
    return map;
  }

  async #cached(map: BlockMap, blockIndex: number, by: BlockFetcher) {
    const hash = map.hashOf(blockIndex);
    if (hash === undefined) return undefined;
    const data = hash === ZERO_BLOCK_HASH ? undefined : await this.#cache.get(hash);
    if (hash !== ZERO_BLOCK_HASH && data === undefined) return undefined;
    by.onCached(blockIndex);
    return { data };
  }

  async #fetch(map: BlockMap, blockIndex: number, by: BlockFetcher): Promise<Uint8Array | undefined> {
    const block = await by.fetch(blockIndex);
    const sha256 = block?.sha256 ?? ZERO_BLOCK_SHA256;
    if (map.learn(blockIndex, sha256)) this.#appender.add({ blockIndex, sha256 });
    const hash = hexOf(sha256);
    if (block === undefined || hash === ZERO_BLOCK_HASH) return undefined;
    await this.#cache.add(hash, block.data);
    return block.data;
  }

  /** What may fail, as on a full disk: it is then done again next time. */
  #inBackground(work: Promise<void>): void {
    const settled = work
      .catch(() => {})
      .finally(() => {
        this.#background.delete(settled);
      });
    this.#background.add(settled);
  }
}
