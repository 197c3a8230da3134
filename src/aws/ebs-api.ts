import type { SnapshotId } from "../base/ids.ts";

/**
 * The EBS direct APIs: snapshots read and written block by block, in one account and region.
 *
 * Every call retries what is safe to retry and has a deadline of its own. Callers may have any number of calls under
 * way: how many really are on the wire follows from what EBS takes.
 *
 * @throws {AwsError} for what EBS refuses, with its code, its message and its reason.
 */
export interface EbsApi {
  readonly region: string;
  /** What has been sent so far, each retry counted: it is what AWS bills. Changes as calls go on. */
  readonly usage: Readonly<EbsUsage>;
  /** Where requests go, however that was configured: another client that is given it needs nothing else. */
  endpoint(): Promise<string>;

  /** Answers while the snapshot is pending: blocks can be put. The same token gives the same snapshot. */
  startSnapshot(plan: StartSnapshotPlan): Promise<StartedSnapshot>;
  /** Resolves when EBS has acknowledged exactly this content. Until the snapshot is completed a later put replaces it. */
  putSnapshotBlock(snapshotId: SnapshotId, block: HashedBlock): Promise<void>;
  /** Seals the snapshot, which is "completed" some seconds later. Repeating it does no harm. */
  completeSnapshot(snapshotId: SnapshotId, written: WrittenBlocks): Promise<void>;

  /** The blocks that are not all zero by the nature of the snapshot, ascending; pages may be empty. */
  listSnapshotBlocks(
    snapshotId: SnapshotId,
    options?: { readonly startingBlockIndex?: number },
  ): AsyncGenerator<SnapshotBlockPage>;
  /** Blocks whose content may differ between two snapshots of one lineage, ascending; pages may be empty. */
  listChangedBlocks(first: SnapshotId, second: SnapshotId): AsyncGenerator<ChangedBlockPage>;
  /**
   * Fetches a block and verifies it. A block that arrives damaged is asked for again.
   *
   * @param target where the data go, `SNAPSHOT_BLOCK_BYTES` long: the caller's again when the call has ended. @default new memory
   */
  getSnapshotBlock(snapshotId: SnapshotId, block: BlockAddress, target?: Uint8Array): Promise<HashedBlock>;
}

/** Counts of requests that were sent, answered or not. */
export interface EbsUsage {
  getSnapshotBlock: number;
  putSnapshotBlock: number;
  /** ListSnapshotBlocks and ListChangedBlocks. */
  list: number;
  /** StartSnapshot and CompleteSnapshot, which cost nothing. */
  other: number;
}

export interface BlockAddress {
  /** Offset in the disk divided by `SNAPSHOT_BLOCK_BYTES`. */
  readonly blockIndex: number;
  /** From a listing; valid for days, or EBS says INVALID_BLOCK_TOKEN. */
  readonly blockToken: string;
}

export interface HashedBlock {
  readonly blockIndex: number;
  /** `SNAPSHOT_BLOCK_BYTES` long. */
  readonly data: Uint8Array;
  /** SHA-256 of `data`, 32 bytes. */
  readonly sha256: Uint8Array;
}

export interface StartSnapshotPlan {
  readonly sizeGib: number;
  /** What it is a child of: blocks that are not put are those of the parent. Without it they are zero. */
  readonly parentSnapshotId?: SnapshotId | undefined;
  /** Up to 255 characters. */
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly clientToken: string;
  /** Not allowed beside a parent, whose encryption the child has. */
  readonly encrypted?: boolean | undefined;
  readonly kmsKeyArn?: string | undefined;
  /** Minutes after the last put until EBS gives the snapshot up, 10 to 4,320. @default 60 */
  readonly timeoutMinutes?: number | undefined;
}

export interface StartedSnapshot {
  readonly snapshotId: SnapshotId;
  /** "pending"; another one where the token was used before and that snapshot has gone on. */
  readonly state: string;
  readonly sizeGib: number;
}

export interface WrittenBlocks {
  /** How many different blocks were put. */
  readonly changedBlocksCount: number;
  /** SHA-256 over the hashes of those blocks, in the order of their indexes: LINEAR aggregation. 32 bytes. */
  readonly checksum: Uint8Array;
}

export interface SnapshotBlockPage {
  readonly sizeGib: number;
  readonly blocks: readonly BlockAddress[];
}

export interface ChangedBlockPage {
  readonly sizeGib: number;
  readonly changedBlocks: readonly {
    readonly blockIndex: number;
    /** Missing where the first snapshot has no such block. */
    readonly firstBlockToken: string | undefined;
    /** Missing where the second snapshot has no such block. */
    readonly secondBlockToken: string | undefined;
  }[];
}
