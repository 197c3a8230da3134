import { lineageOf } from "../state/records.ts";
import type { BlockHash } from "../storage/block-medium.ts";
import type { SnapshotManifest } from "../storage/snapshot-manifest.ts";
import { blockTokens, listFields, nextPageToken, pageRequest } from "./block-pages.ts";
import type { EbsAnswer, EbsCall } from "./ebs-call.ts";
import { invalid } from "./ebs-errors.ts";
import { snapshotId } from "./ebs-input.ts";
import { readableSnapshot } from "./readable-snapshot.ts";

/**
 * The blocks that differ between two snapshots of one lineage.
 *
 * A page looks through as many indexes as it may have results, so it may have none and not be the last, as in AWS.
 */
export async function listChangedBlocks(call: EbsCall): Promise<EbsAnswer> {
  const { cloud, path, query } = call;
  const secondId = snapshotId(path["secondSnapshotId"], "secondSnapshotId");
  const firstId = snapshotId(query.get("firstSnapshotId"), "firstSnapshotId");
  const { fromIndex, resultsMax } = pageRequest(call, firstId, secondId);
  const first = readableSnapshot(call, firstId);
  const second = readableSnapshot(call, secondId);
  if (lineageOf(first) !== lineageOf(second)) {
    throw invalid("UNRELATED_SNAPSHOTS", `The snapshots '${firstId}' and '${secondId}' are not related.`);
  }
  const toIndex = fromIndex + resultsMax;
  const manifests = await Promise.all([firstId, secondId].map((id) => cloud.storage.readManifest(id)));
  const [before, after] = manifests.map((manifest) => blocksWithin(manifest, fromIndex, toIndex)) as [Blocks, Blocks];
  const lastIndex = Math.max(...manifests.map(({ blocks }) => blocks.at(-1)?.blockIndex ?? -1));
  const changed = [...new Set([...before.keys(), ...after.keys()])]
    .filter((index) => before.get(index) !== after.get(index))
    .sort((a, b) => a - b);
  const [firstTokens, secondTokens] = [blockTokens(cloud, firstId), blockTokens(cloud, secondId)];
  const [inFirst, inSecond] = [firstTokens.tokens(changed), secondTokens.tokens(changed)];
  const listed = changed.map((index, position) => ({
    BlockIndex: index,
    FirstBlockToken: before.has(index) ? inFirst[position] : undefined,
    SecondBlockToken: after.has(index) ? inSecond[position] : undefined,
  }));
  const nextToken = toIndex > lastIndex ? undefined : nextPageToken(call, toIndex, firstId, secondId);
  return { status: 200, body: { ChangedBlocks: listed, ...listFields(second, secondTokens, nextToken) } };
}

type Blocks = ReadonlyMap<number, BlockHash>;

function blocksWithin({ blocks }: SnapshotManifest, fromIndex: number, toIndex: number): Blocks {
  const within = blocks.filter(({ blockIndex }) => blockIndex >= fromIndex && blockIndex < toIndex);
  return new Map(within.map(({ blockIndex, hash }) => [blockIndex, hash]));
}
