import { createHash } from "node:crypto";
import { AwsError } from "../../src/aws/aws-error.ts";
import type { EbsApi, EbsUsage, HashedBlock, StartSnapshotPlan } from "../../src/aws/ebs-api.ts";
import type { SnapshotId } from "../../src/base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";

export interface FakeSnapshot {
  readonly snapshotId: SnapshotId;
  readonly plan: StartSnapshotPlan;
  state: "pending" | "completed" | "error";
  /** Its own blocks and its parent's, by index. */
  readonly blocks: Map<number, StoredBlock>;
  /** What was put into it, by index. */
  readonly written: Map<number, StoredBlock>;
}

export interface StoredBlock {
  /** Without the zeros at its end: tests put many blocks that hold little. */
  readonly content: Buffer;
  /** Of the whole block. */
  readonly sha256: Uint8Array;
}

/**
 * The EBS direct APIs of an account without any, in memory. It keeps the rules: blocks go into pending snapshots, are
 * read from completed ones with a token of a listing, and hashes are compared.
 */
export class FakeEbs implements EbsApi {
  readonly region = "us-east-1";
  readonly usage: EbsUsage = { getSnapshotBlock: 0, putSnapshotBlock: 0, list: 0, other: 0 };
  readonly snapshots = new Map<SnapshotId, FakeSnapshot>();
  /** Block indexes in the order in which they were put. */
  readonly puts: number[] = [];
  /** Block indexes in the order in which they were fetched. */
  readonly gets: number[] = [];
  /** The access key of the last call, where the caller tells. */
  lastKey = "";
  /** How many blocks a page has. */
  pageBlocksMax = 100;
  /** Runs before each call, which fails with what it throws and waits for what it returns. */
  before: (call: keyof EbsApi, blockIndex?: number) => void | Promise<void> = () => {};
  /** Whether EC2 shows a snapshot already: what was just made it may hide for a while. */
  isVisible: (snapshotId: SnapshotId) => boolean = () => true;
  /** Whether EC2 still calls a snapshot pending that was sealed. */
  isLate = false;
  readonly #tokens = new Set<string>();
  #tokenEra = 0;
  #started = 0;

  async endpoint(): Promise<string> {
    return "https://ebs.test/";
  }

  /** Makes a completed snapshot with these blocks. */
  add(snapshotId: SnapshotId, sizeGib: number, blocks: Readonly<Record<number, Uint8Array>>): FakeSnapshot {
    const plan = { sizeGib, description: "", tags: {}, clientToken: snapshotId };
    const written = new Map(
      Object.entries(blocks).map(([index, content]) => [Number(index), stored(content)] as const),
    );
    const snapshot: FakeSnapshot = { snapshotId, plan, state: "completed", blocks: new Map(written), written };
    this.snapshots.set(snapshotId, snapshot);
    return snapshot;
  }

  /** The part of EC2 that transfers need. */
  readonly ec2 = {
    findSnapshot: async (snapshotId: SnapshotId) => {
      const snapshot = this.snapshots.get(snapshotId);
      if (snapshot === undefined || !this.isVisible(snapshotId)) return undefined;
      const state = this.isLate && snapshot.state === "completed" ? "pending" : snapshot.state;
      return { snapshotId, state, stateMessage: undefined, percent: 100 };
    },
    releasing: {
      deleteSnapshot: async (snapshotId: SnapshotId) => this.isVisible(snapshotId) && this.snapshots.delete(snapshotId),
    },
  };

  /** Tokens of earlier listings are valid no more. */
  expireTokens(): void {
    this.#tokenEra++;
  }

  async startSnapshot(plan: StartSnapshotPlan) {
    await this.before("startSnapshot");
    this.usage.other++;
    const before = [...this.snapshots.values()].find((snapshot) => snapshot.plan.clientToken === plan.clientToken);
    if (before === undefined && this.#tokens.has(plan.clientToken)) {
      throw new AwsError("StartSnapshot", "ResourceNotFoundException", "the token's snapshot does not exist", {
        reason: "SNAPSHOT_NOT_FOUND",
      });
    }
    if (before !== undefined) {
      if (JSON.stringify(before.plan) !== JSON.stringify(plan)) {
        throw new AwsError("StartSnapshot", "ConflictException", "the token was used with other parameters");
      }
      return { snapshotId: before.snapshotId, state: before.state, sizeGib: plan.sizeGib };
    }
    if (plan.parentSnapshotId !== undefined && (plan.encrypted !== undefined || plan.kmsKeyArn !== undefined)) {
      throw invalid("StartSnapshot", "INVALID_PARAMETER_VALUE", "Encrypted cannot be given with ParentSnapshotId");
    }
    const parent = plan.parentSnapshotId && this.#existing("StartSnapshot", plan.parentSnapshotId);
    if (parent && parent.plan.sizeGib > plan.sizeGib) {
      throw invalid("StartSnapshot", "INVALID_VOLUME_SIZE", "smaller than the parent");
    }
    const snapshotId = `snap-${String(++this.#started).padStart(17, "0")}` as SnapshotId;
    const blocks = new Map(parent ? parent.blocks : []);
    this.#tokens.add(plan.clientToken);
    this.snapshots.set(snapshotId, { snapshotId, plan, state: "pending", blocks, written: new Map() });
    return { snapshotId, state: "pending", sizeGib: plan.sizeGib };
  }

  async putSnapshotBlock(snapshotId: SnapshotId, block: HashedBlock): Promise<void> {
    const { blockIndex } = block;
    await this.before("putSnapshotBlock", blockIndex);
    this.usage.putSnapshotBlock++;
    const snapshot = this.#existing("PutSnapshotBlock", snapshotId);
    if (snapshot.state !== "pending") throw invalid("PutSnapshotBlock", "INVALID_SNAPSHOT_ID", snapshot.state);
    if (blockIndex < 0 || blockIndex >= (snapshot.plan.sizeGib * GIB) / SNAPSHOT_BLOCK_BYTES) {
      throw invalid("PutSnapshotBlock", "INVALID_BLOCK", `there is no block ${blockIndex}`);
    }
    const sha256 = createHash("sha256").update(block.data).digest();
    if (block.data.length !== SNAPSHOT_BLOCK_BYTES || !sha256.equals(block.sha256)) {
      throw invalid("PutSnapshotBlock", "INVALID_PARAMETER_VALUE", "the checksum is not that of the data");
    }
    this.puts.push(blockIndex);
    const kept = { content: withoutEnd(block.data), sha256 };
    snapshot.written.set(blockIndex, kept);
    snapshot.blocks.set(blockIndex, kept);
  }

  async completeSnapshot(
    snapshotId: SnapshotId,
    { changedBlocksCount, checksum }: { changedBlocksCount: number; checksum: Uint8Array },
  ): Promise<void> {
    await this.before("completeSnapshot");
    this.usage.other++;
    const snapshot = this.#existing("CompleteSnapshot", snapshotId);
    if (snapshot.state !== "pending") throw invalid("CompleteSnapshot", "INVALID_SNAPSHOT_ID", snapshot.state);
    const hash = createHash("sha256");
    for (const [, { sha256 }] of [...snapshot.written].sort(([a], [b]) => a - b)) hash.update(sha256);
    const isRight = changedBlocksCount === snapshot.written.size && hash.digest().equals(checksum);
    snapshot.state = isRight ? "completed" : "error";
    if (!isRight)
      throw invalid("CompleteSnapshot", "INVALID_PARAMETER_VALUE", "the blocks are not those that were put");
  }

  async *listSnapshotBlocks(snapshotId: SnapshotId, { startingBlockIndex = 0 } = {}) {
    const { plan, blocks } = this.#readable("ListSnapshotBlocks", snapshotId);
    const era = this.#tokenEra;
    const indexes = [...blocks.keys()].filter((index) => index >= startingBlockIndex).sort((a, b) => a - b);
    for (const page of pages(indexes, this.pageBlocksMax)) {
      await this.before("listSnapshotBlocks");
      this.usage.list++;
      yield {
        sizeGib: plan.sizeGib,
        blocks: page.map((blockIndex) => ({ blockIndex, blockToken: tokenOf(snapshotId, blockIndex, era) })),
      };
    }
  }

  async *listChangedBlocks(first: SnapshotId, second: SnapshotId) {
    const before = this.#readable("ListChangedBlocks", first).blocks;
    const after = this.#readable("ListChangedBlocks", second);
    const era = this.#tokenEra;
    const changed = [...new Set([...before.keys(), ...after.blocks.keys()])]
      .filter((index) => before.get(index) !== after.blocks.get(index))
      .sort((a, b) => a - b);
    for (const page of pages(changed, this.pageBlocksMax)) {
      await this.before("listChangedBlocks");
      this.usage.list++;
      yield {
        sizeGib: after.plan.sizeGib,
        changedBlocks: page.map((blockIndex) => ({
          blockIndex,
          firstBlockToken: before.has(blockIndex) ? tokenOf(first, blockIndex, era) : undefined,
          secondBlockToken: after.blocks.has(blockIndex) ? tokenOf(second, blockIndex, era) : undefined,
        })),
      };
    }
  }

  async getSnapshotBlock(
    snapshotId: SnapshotId,
    { blockIndex, blockToken }: { blockIndex: number; blockToken: string },
    target = new Uint8Array(SNAPSHOT_BLOCK_BYTES),
  ): Promise<HashedBlock> {
    await this.before("getSnapshotBlock", blockIndex);
    this.usage.getSnapshotBlock++;
    const block = this.#readable("GetSnapshotBlock", snapshotId).blocks.get(blockIndex);
    if (block === undefined || blockToken !== tokenOf(snapshotId, blockIndex, this.#tokenEra)) {
      throw invalid("GetSnapshotBlock", "INVALID_BLOCK_TOKEN", "the block token is not valid");
    }
    this.gets.push(blockIndex);
    target.fill(0);
    target.set(block.content);
    return { blockIndex, data: target, sha256: block.sha256 };
  }

  #existing(call: string, snapshotId: SnapshotId): FakeSnapshot {
    const snapshot = this.snapshots.get(snapshotId);
    if (snapshot === undefined) {
      throw new AwsError(call, "ResourceNotFoundException", `The snapshot '${snapshotId}' does not exist.`, {
        reason: "SNAPSHOT_NOT_FOUND",
      });
    }
    return snapshot;
  }

  #readable(call: string, snapshotId: SnapshotId): FakeSnapshot {
    const snapshot = this.#existing(call, snapshotId);
    if (snapshot.state !== "completed") throw invalid(call, "INVALID_SNAPSHOT_ID", `its state is ${snapshot.state}`);
    return snapshot;
  }
}

/** A block with this content, which is filled up with zeros. */
export function hashed(blockIndex: number, content: Uint8Array): HashedBlock {
  const data = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
  data.set(content);
  return { blockIndex, data, sha256: createHash("sha256").update(data).digest() };
}

const SCRATCH = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);

function stored(content: Uint8Array): StoredBlock {
  SCRATCH.fill(0).set(content);
  return { content: withoutEnd(content), sha256: createHash("sha256").update(SCRATCH).digest() };
}

const ZERO_PAGE = Buffer.alloc(4096);

/** A copy of all but the zeros at the end. */
function withoutEnd(data: Uint8Array): Buffer {
  let length = data.length;
  // Most of a block are zeros here, which are compared a page at a time.
  while (length >= ZERO_PAGE.length && ZERO_PAGE.equals(data.subarray(length - ZERO_PAGE.length, length))) {
    length -= ZERO_PAGE.length;
  }
  while (length > 0 && data[length - 1] === 0) length--;
  return Buffer.from(data.subarray(0, length));
}

function pages(indexes: readonly number[], pageBlocksMax: number): number[][] {
  const count = Math.max(1, Math.ceil(indexes.length / pageBlocksMax));
  return Array.from({ length: count }, (_, page) => indexes.slice(page * pageBlocksMax, (page + 1) * pageBlocksMax));
}

function tokenOf(snapshotId: SnapshotId, blockIndex: number, era: number): string {
  return `token-${snapshotId}-${blockIndex}-${era}`;
}

function invalid(call: string, reason: string, detail: string): AwsError {
  return new AwsError(call, "ValidationException", detail, { reason });
}
