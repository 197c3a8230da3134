import type { EbsApi } from "../aws/ebs-api.ts";
import { openSnapshotReader } from "../aws/ebs-snapshot-reader.ts";
import { type BlockHashes, isUnknown } from "../base/block-hashes.ts";
import type { Clock } from "../base/clock.ts";
import type { SnapshotId } from "../base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import type { ManifestStore } from "./manifest-store.ts";
import type { ParentHashOf } from "./upload-blocks.ts";

/** What a new snapshot is compared with. */
export interface ParentSnapshot {
  readonly sizeGib: number;
  /** Of all the blocks that EBS keeps of it, ascending. */
  readonly blockIndexes: Iterable<number>;
  readonly hashOf: ParentHashOf;
  /** All of them, where this host knows them. */
  readonly hashes: BlockHashes | undefined;
}

/** By the manifest of the parent; where this host has no complete one, each block that is compared is fetched. */
export async function openParent(
  snapshotId: SnapshotId,
  options: {
    readonly ebs: EbsApi;
    readonly manifests: ManifestStore;
    readonly signal: AbortSignal;
    readonly clock: Clock;
  },
): Promise<ParentSnapshot> {
  const manifest = await options.manifests.read(snapshotId);
  if (manifest !== undefined && !hasUnknown(manifest.blocks)) {
    const { sizeBytes, blocks } = manifest;
    const sizeGib = Math.ceil(sizeBytes / GIB);
    const blockIndexes = { [Symbol.iterator]: () => blocks.indexes() };
    return { sizeGib, blockIndexes, hashOf: (index) => blocks.get(index), hashes: blocks };
  }
  const reader = await openSnapshotReader(options.ebs, snapshotId, options);
  const spare: Uint8Array[] = [];
  return {
    sizeGib: reader.sizeGib,
    blockIndexes: reader.blockIndexes,
    async hashOf(blockIndex) {
      const target = spare.pop() ?? new Uint8Array(SNAPSHOT_BLOCK_BYTES);
      try {
        return (await reader.read(blockIndex, target))?.sha256;
      } finally {
        spare.push(target);
      }
    },
    hashes: undefined,
  };
}

function hasUnknown(blocks: BlockHashes): boolean {
  for (const { sha256 } of blocks) if (isUnknown(sha256)) return true;
  return false;
}
