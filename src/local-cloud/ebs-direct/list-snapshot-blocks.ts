import { blockTokens, listFields, nextPageToken, pageRequest } from "./block-pages.ts";
import type { EbsAnswer, EbsCall } from "./ebs-call.ts";
import { snapshotId } from "./ebs-input.ts";
import { readableSnapshot } from "./readable-snapshot.ts";

export async function listSnapshotBlocks(call: EbsCall): Promise<EbsAnswer> {
  const { cloud, path } = call;
  const id = snapshotId(path["snapshotId"], "snapshotId");
  const { fromIndex, resultsMax } = pageRequest(call, id);
  const snapshot = readableSnapshot(call, id);
  const { blocks } = await cloud.storage.readManifest(id);
  const indexes = blocks.map(({ blockIndex }) => blockIndex).filter((index) => index >= fromIndex);
  const page = indexes.slice(0, resultsMax);
  const next = indexes[resultsMax];
  const series = blockTokens(cloud, id);
  const tokens = series.tokens(page);
  const listed = page.map((index, position) => ({ BlockIndex: index, BlockToken: tokens[position] }));
  const nextToken = next === undefined ? undefined : nextPageToken(call, next, id);
  return { status: 200, body: { Blocks: listed, ...listFields(snapshot, series, nextToken) } };
}
