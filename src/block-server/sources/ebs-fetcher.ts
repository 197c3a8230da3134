import { hasCode } from "../../aws/aws-error.ts";
import type { EbsApi, HashedBlock } from "../../aws/ebs-api.ts";
import type { EbsSdkOptions } from "../../aws/ebs-sdk.ts";
import { openSnapshotReader, type SnapshotReader } from "../../aws/ebs-snapshot-reader.ts";
import { BlockSet } from "../../base/block-set.ts";
import type { Clock } from "../../base/clock.ts";
import type { SnapshotId } from "../../base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import type { SnapshotAddress, SourceStats } from "../control/protocol.ts";
import type { SnapshotListing } from "../snapshots/block-map.ts";
import type { BlockFetcher } from "../snapshots/shared-snapshot.ts";
import type { ClientCredentials } from "./client-credentials.ts";

export type OpenEbs = (options: EbsSdkOptions) => Promise<EbsApi & Disposable>;

export interface EbsFetcherOptions {
  readonly address: SnapshotAddress;
  readonly openEbs: OpenEbs;
  readonly credentials: ClientCredentials;
  /** Ends calls under way. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
}

// What EBS and STS say of credentials whose time is over.
const EXPIRED = ["ExpiredTokenException", "ExpiredToken", "RequestExpired"];

/** One snapshot in EBS, reached with the credentials of one client. Nothing is opened before it is needed. */
export class EbsFetcher implements BlockFetcher, Disposable {
  readonly #options: EbsFetcherOptions;
  readonly #cached = new BlockSet();
  readonly #fetched = new BlockSet();
  #fetchedCount = 0;
  #opening: Promise<EbsApi & Disposable> | undefined;
  #ebs: (EbsApi & Disposable) | undefined;
  #reading: Promise<SnapshotReader> | undefined;

  constructor(options: EbsFetcherOptions) {
    this.#options = options;
  }

  get stats(): SourceStats {
    const [fetchedCount, cachedCount] = [this.#fetchedCount, this.#cached.size];
    return {
      fetchedCount,
      fetchedBytes: fetchedCount * SNAPSHOT_BLOCK_BYTES,
      cachedCount,
      cachedBytes: cachedCount * SNAPSHOT_BLOCK_BYTES,
      requests: { ...(this.#ebs?.usage ?? { getSnapshotBlock: 0, putSnapshotBlock: 0, list: 0, other: 0 }) },
    };
  }

  async list(): Promise<SnapshotListing> {
    const { sizeGib, blockIndexes } = await this.#reader();
    return { sizeBytes: sizeGib * GIB, blockIndexes };
  }

  async fetch(blockIndex: number): Promise<HashedBlock | undefined> {
    const reader = await this.#reader();
    const block = await this.#withCredentials(() => reader.read(blockIndex));
    this.#fetchedCount++;
    this.#fetched.add(blockIndex);
    return block;
  }

  onCached(blockIndex: number): void {
    // One that it has fetched itself is in the cache too, and saved nothing.
    if (!this.#fetched.has(blockIndex)) this.#cached.add(blockIndex);
  }

  [Symbol.dispose](): void {
    this.#ebs?.[Symbol.dispose]();
  }

  async #reader(): Promise<SnapshotReader> {
    this.#reading ??= this.#openReader();
    try {
      return await this.#reading;
    } catch (error) {
      // Whoever asks next tries again: it may have been the network.
      this.#reading = undefined;
      throw error;
    }
  }

  async #openReader(): Promise<SnapshotReader> {
    const { address, signal, clock } = this.#options;
    this.#opening ??= this.#openEbs();
    const ebs = await this.#opening;
    return this.#withCredentials(() => openSnapshotReader(ebs, address.snapshotId as SnapshotId, { signal, clock }));
  }

  async #openEbs(): Promise<EbsApi & Disposable> {
    const { address, openEbs, credentials, signal, clock, onRetry } = this.#options;
    const { region, endpoint } = address;
    const ebs = await openEbs({
      ...{ region, endpoint, isEndpointFinal: true },
      ...{ credentials: () => credentials.get(), signal, clock, onRetry },
    });
    this.#ebs = ebs;
    if (signal.aborted) ebs[Symbol.dispose]();
    return ebs;
  }

  async #withCredentials<Result>(work: () => Promise<Result>): Promise<Result> {
    // Before the call: that there are none is no failure of the call, and repeating that helps nobody.
    await this.#options.credentials.get();
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, ...EXPIRED) || !(await this.#options.credentials.renew())) throw error;
      return work();
    }
  }
}
