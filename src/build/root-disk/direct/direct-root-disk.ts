import { AsyncDisposableStack } from "../../../base/async-disposable-stack.ts";
import { BlockHashes, isUnknown } from "../../../base/block-hashes.ts";
import { messageOf } from "../../../base/errors.ts";
import type { SnapshotId } from "../../../base/ids.ts";
import type { SnapshotManifest } from "../../../base/snapshot-manifest.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../../../base/units.ts";
import type { BuildVariables } from "../../../template/deferred.ts";
import type { ContextWith, DirectMeans } from "../../build-context.ts";
import type { SourceImage } from "../../image/find-source-image.ts";
import { planSize } from "../plan-size.ts";
import type { RootDisk } from "../root-disk.ts";
import { openBase } from "./base-snapshot.ts";
import { attachOverlay, openBuildOverlay } from "./build-overlay.ts";
import { uploadChanges } from "./upload-changes.ts";

export type DirectContext = ContextWith<DirectMeans>;

/**
 * The source image's root snapshot with what the build writes on top of it: blocks are fetched when they are first read,
 * and only those that changed become a snapshot, the child of the source's.
 */
export async function createDirectRootDisk(
  context: DirectContext,
  source: SourceImage,
  variables: BuildVariables,
): Promise<RootDisk> {
  await using undo = new AsyncDisposableStack();
  const sizeGib = planSize(context, source);
  const base = undo.use(await openBase(context, source, { sizeGib, variables }));
  const sizeBytes = sizeGib * GIB;
  const overlay = undo.use(await openBuildOverlay(context, { blocks: base.blocks, sizeBytes }));
  let content = BlockHashes.NONE;
  const owned = undo.move();
  return {
    sizeGib,
    blockDeviceMappings: base.blockDeviceMappings,
    attach: () => attachOverlay(context, overlay),
    async snapshot() {
      content = await uploadChanges(context, { overlay, base });
      return base.handOverChild();
    },
    failure: () => base.blocks.failure() ?? overlay.failure(),
    readBlockManifest: async () => ({
      snapshotId: base.child.id,
      sizeBytes,
      blockSizeBytes: SNAPSHOT_BLOCK_BYTES,
      blocks: [...content].map(({ blockIndex, sha256 }) => ({
        blockIndex,
        hash: isUnknown(sha256) ? null : Buffer.from(sha256).toString("hex"),
      })),
    }),
    noteContent: () => noteContent(context, base.child.id, { sizeBytes, blocks: content }),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** Nothing of the image depends on it. */
async function noteContent(
  { means, emit }: DirectContext,
  snapshotId: SnapshotId,
  manifest: SnapshotManifest,
): Promise<void> {
  try {
    await means.manifests.write(snapshotId, manifest);
  } catch (error) {
    emit({ type: "warning", text: `Builds on this image will have to read blocks to compare: ${messageOf(error)}` });
  }
}
