import type { Clock } from "../base/clock.ts";
import type { SnapshotId } from "../base/ids.ts";
import { hasReason, isNotFound } from "./aws-error.ts";
import type { EbsApi, HashedBlock } from "./ebs-api.ts";
import { ListedPages } from "./listed-pages.ts";
import { waitFor } from "./wait.ts";

/** A completed snapshot, whose blocks are read in any order, any number at once. */
export interface SnapshotReader {
  readonly snapshotId: SnapshotId;
  readonly sizeGib: number;
  /** Of all the blocks that EBS keeps, ascending. The others are zero. */
  readonly blockIndexes: Uint32Array;
  /**
   * @param target where the data go, `SNAPSHOT_BLOCK_BYTES` long. @default new memory
   * @returns undefined if EBS does not keep the block: it is zero.
   */
  read(blockIndex: number, target?: Uint8Array): Promise<HashedBlock | undefined>;
}

export interface SnapshotReaderOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Whether the snapshot was completed just now: EBS may not find it yet. @default false */
  readonly isFresh?: boolean;
}

// Seen right after "completed": github.com/awslabs/coldsnap/issues/141. The same two minutes as for a new snapshot.
const FRESH_MS = 120_000;
// A listing is good for days. More often than this, something else is wrong.
const LISTINGS_MAX = 4;

/** Lists the blocks of a snapshot, once. */
export async function openSnapshotReader(
  ebs: EbsApi,
  snapshotId: SnapshotId,
  { signal, clock, isFresh = false }: SnapshotReaderOptions,
): Promise<SnapshotReader> {
  const look = async () => {
    try {
      return await ListedPages.list(ebs, snapshotId);
    } catch (error) {
      if (isFresh && isNotFound(error)) return undefined;
      throw error;
    }
  };
  const what = `EBS to list the blocks of ${snapshotId}`;
  const pages = await waitFor(look, { what, deadlineMs: FRESH_MS, signal, clock });
  return {
    snapshotId,
    sizeGib: pages.sizeGib,
    blockIndexes: pages.blockIndexes,
    async read(blockIndex, target) {
      for (let listing = 1; ; listing++) {
        const tokens = await pages.tokensAround(blockIndex);
        const blockToken = tokens?.get(blockIndex);
        if (tokens === undefined || blockToken === undefined) return undefined;
        try {
          return await ebs.getSnapshotBlock(snapshotId, { blockIndex, blockToken }, target);
        } catch (error) {
          if (!hasReason(error, "INVALID_BLOCK_TOKEN") || listing === LISTINGS_MAX) throw error;
          await pages.forget(blockIndex, tokens);
        }
      }
    },
  };
}
