import type { Clock } from "../../base/clock.ts";

/** A bucket holds `capacity` calls and gets `refillPerSecond` of them back. */
interface BucketSize {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

const READ: BucketSize = { capacity: 100, refillPerSecond: 20 };
const READ_EVERYTHING: BucketSize = { capacity: 50, refillPerSecond: 10 };
const WRITE: BucketSize = { capacity: 50, refillPerSecond: 5 };

// docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
const SIZES: Readonly<Record<string, BucketSize>> = {
  CreateVolume: { capacity: 100, refillPerSecond: 5 },
  DeleteVolume: { capacity: 100, refillPerSecond: 5 },
  CreateSnapshot: { capacity: 100, refillPerSecond: 5 },
  DeleteSnapshot: { capacity: 100, refillPerSecond: 5 },
  DeregisterImage: { capacity: 100, refillPerSecond: 5 },
  ModifyImageAttribute: { capacity: 100, refillPerSecond: 5 },
  ModifySnapshotAttribute: { capacity: 100, refillPerSecond: 5 },
  CopyImage: { capacity: 100, refillPerSecond: 1 },
  CreateTags: { capacity: 100, refillPerSecond: 10 },
  DeleteTags: { capacity: 100, refillPerSecond: 10 },
  // Service quotas of the EBS direct APIs. What they call "requests per second" is taken for the size of the bucket too.
  GetSnapshotBlock: { capacity: 1_000, refillPerSecond: 1_000 },
  PutSnapshotBlock: { capacity: 1_000, refillPerSecond: 1_000 },
  ListSnapshotBlocks: { capacity: 50, refillPerSecond: 50 },
  ListChangedBlocks: { capacity: 50, refillPerSecond: 50 },
  StartSnapshot: { capacity: 10, refillPerSecond: 10 },
  CompleteSnapshot: { capacity: 10, refillPerSecond: 10 },
};

/** The same, for one snapshot, whoever asks. */
const SNAPSHOT_SIZES: Readonly<Record<string, BucketSize>> = {
  GetSnapshotBlock: { capacity: 1_000, refillPerSecond: 1_000 },
  PutSnapshotBlock: { capacity: 1_000, refillPerSecond: 1_000 },
};

/** Reads that cost more when they ask for everything. */
const COSTLY_READS = new Set(["DescribeSnapshots", "DescribeVolumes", "DescribeInstances"]);

/** AWS's throttle: one bucket for each account, region and action. */
export class TokenBuckets {
  readonly #clock: Clock;
  readonly #levels = new Map<string, { tokens: number; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a token.
   *
   * @param isSelective whether the call has a filter, a list of ids or pages.
   * @returns false if the call is to be refused.
   */
  take(call: { accountId: string; region: string; action: string; isSelective: boolean }): boolean {
    const isEverything = COSTLY_READS.has(call.action) && !call.isSelective;
    const key = [call.accountId, call.region, call.action, isEverything ? "everything" : ""].join(" ");
    return this.#take(key, isEverything ? READ_EVERYTHING : sizeOf(call.action));
  }

  /** Takes a token of a snapshot, if the action has buckets of snapshots. */
  takeOfSnapshot(snapshotId: string, action: string): boolean {
    const size = SNAPSHOT_SIZES[action];
    return size === undefined || this.#take([snapshotId, action].join(" "), size);
  }

  #take(key: string, { capacity, refillPerSecond }: BucketSize): boolean {
    const nowMs = this.#clock.now();
    const level = this.#levels.get(key) ?? { tokens: capacity, atMs: nowMs };
    const refilled = Math.min(capacity, level.tokens + ((nowMs - level.atMs) / 1000) * refillPerSecond);
    const isAllowed = refilled >= 1;
    this.#levels.set(key, { tokens: isAllowed ? refilled - 1 : refilled, atMs: nowMs });
    return isAllowed;
  }
}

function sizeOf(action: string): BucketSize {
  return SIZES[action] ?? (/^(Describe|Get|List)/.test(action) ? READ : WRITE);
}
