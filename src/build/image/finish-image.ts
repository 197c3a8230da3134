import type { ImageId, SnapshotId } from "../../base/ids.ts";
import type { BuildContext } from "../build-context.ts";
import type { Draft } from "../draft.ts";
import { DRAFT_TAG } from "../journal/journal-entries.ts";

/**
 * Makes the image and its snapshots the user's.
 *
 * The draft tag goes first: an image that was told to the user never carries it, so nothing that goes by the tag can
 * ever take it. A crash between the two steps removes an image that nobody was told of.
 */
export async function finishImage(
  { ec2, journal }: BuildContext,
  image: Draft<ImageId>,
  snapshots: readonly Draft<SnapshotId>[],
): Promise<void> {
  const snapshotIds = snapshots.map(({ id }) => id);
  await journal.finishing(image.id, snapshotIds);
  await ec2.deleteTags([image.id, ...snapshotIds], [DRAFT_TAG]);
  await journal.finish(image.id, snapshotIds);
  for (const draft of [image, ...snapshots]) draft.keep();
}
