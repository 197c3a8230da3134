import type { SnapshotId } from "../base/ids.ts";
import type { EbsApi } from "./ebs-api.ts";

type Tokens = ReadonlyMap<number, string>;

interface Page {
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** By block index. Undefined: not listed now. */
  tokens: Promise<Tokens> | undefined;
}

// Tokens take most of the room: some 25 MB for the blocks of 128 GiB. Of a larger snapshot those are listed again that
// are needed, a page at a time.
const TOKENS_MAX = 262_144;

/** The listing of a snapshot: all of its block indexes, and of a part of them the tokens. */
export class ListedPages {
  readonly #ebs: EbsApi;
  readonly #snapshotId: SnapshotId;
  readonly sizeGib: number;
  /** Ascending. */
  readonly blockIndexes: Uint32Array;
  /** Ascending, and not empty. */
  readonly #pages: readonly Page[];
  /** The pages that have tokens, the one that was used longest ago first. */
  readonly #listed: Set<Page>;

  private constructor(
    ebs: EbsApi,
    snapshotId: SnapshotId,
    listing: { sizeGib: number; blockIndexes: Uint32Array; pages: readonly Page[] },
  ) {
    this.#ebs = ebs;
    this.#snapshotId = snapshotId;
    this.sizeGib = listing.sizeGib;
    this.blockIndexes = listing.blockIndexes;
    this.#pages = listing.pages;
    this.#listed = new Set(listing.pages.filter(({ tokens }) => tokens !== undefined));
  }

  /** @throws {AwsError} */
  static async list(ebs: EbsApi, snapshotId: SnapshotId): Promise<ListedPages> {
    const pages: Page[] = [];
    const indexes: Uint32Array[] = [];
    let sizeGib = 0;
    let tokenCount = 0;
    for await (const listed of ebs.listSnapshotBlocks(snapshotId)) {
      sizeGib = listed.sizeGib;
      const [first, last] = [listed.blocks[0], listed.blocks.at(-1)];
      if (first === undefined || last === undefined) continue;
      tokenCount += listed.blocks.length;
      indexes.push(Uint32Array.from(listed.blocks, ({ blockIndex }) => blockIndex));
      const tokens = new Map(listed.blocks.map(({ blockIndex, blockToken }) => [blockIndex, blockToken]));
      pages.push({
        firstIndex: first.blockIndex,
        lastIndex: last.blockIndex,
        tokens: tokenCount <= TOKENS_MAX ? Promise.resolve(tokens) : undefined,
      });
    }
    return new ListedPages(ebs, snapshotId, { sizeGib, blockIndexes: joined(indexes), pages });
  }

  /** The tokens of the page that the block is on, if it is on one. Whoever asks meanwhile waits for the same listing. */
  async tokensAround(blockIndex: number): Promise<Tokens | undefined> {
    const page = this.#pageOf(blockIndex);
    if (page === undefined) return undefined;
    this.#listed.delete(page);
    this.#listed.add(page);
    if (page.tokens === undefined) {
      page.tokens = this.#listAgain(page);
      page.tokens.catch(() => this.#drop(page));
      this.#makeRoom();
    }
    return page.tokens;
  }

  /** @param tokens what EBS takes no longer. If they have been listed again meanwhile, nothing is forgotten. */
  async forget(blockIndex: number, tokens: Tokens): Promise<void> {
    const page = this.#pageOf(blockIndex);
    if (page !== undefined && (await page.tokens) === tokens) this.#drop(page);
  }

  #pageOf(blockIndex: number): Page | undefined {
    let [low, high] = [0, this.#pages.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pages[middle]?.lastIndex ?? 0) < blockIndex) low = middle + 1;
      else high = middle;
    }
    const page = this.#pages[low];
    return page !== undefined && page.firstIndex <= blockIndex ? page : undefined;
  }

  async #listAgain({ firstIndex, lastIndex }: Page): Promise<Tokens> {
    const tokens = new Map<number, string>();
    const listing = this.#ebs.listSnapshotBlocks(this.#snapshotId, { startingBlockIndex: firstIndex });
    for await (const { blocks } of listing) {
      for (const { blockIndex, blockToken } of blocks) if (blockIndex <= lastIndex) tokens.set(blockIndex, blockToken);
      if ((blocks.at(-1)?.blockIndex ?? -1) >= lastIndex) break;
    }
    return tokens;
  }

  #makeRoom(): void {
    const perPage = Math.max(1, Math.ceil(this.blockIndexes.length / this.#pages.length));
    for (const page of this.#listed) {
      if (this.#listed.size * perPage <= TOKENS_MAX || this.#listed.size === 1) return;
      this.#drop(page);
    }
  }

  #drop(page: Page): void {
    page.tokens = undefined;
    this.#listed.delete(page);
  }
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((count, { length }) => count + length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}
