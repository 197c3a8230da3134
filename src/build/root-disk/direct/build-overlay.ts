import { AsyncDisposableStack } from "../../../base/async-disposable-stack.ts";
import type { BlockSource } from "../../../block-server/client.ts";
import { keepable } from "../../attendance/keep-failed.ts";
import type { AttachedDevice } from "../root-disk.ts";
import type { DirectContext } from "./direct-root-disk.ts";
import { type Overlay, openOverlay } from "./overlay.ts";

/** Opens the overlay of a build. Where a failed build is kept, it lives on, and the journal knows how to end it. */
export async function openBuildOverlay(
  context: DirectContext,
  { blocks, sizeBytes }: { blocks: BlockSource; sizeBytes: number },
): Promise<Overlay> {
  const { journal, means, signal, emit } = context;
  await using undo = new AsyncDisposableStack();
  const directory = means.overlayDirectory;
  // The image only sees an input/output error, or nothing at all.
  const onFailure = ({ message }: Error) => emit({ type: "warning", text: message });
  const overlay = undo.use(await openOverlay({ base: blocks, sizeBytes, directory, signal, onFailure }));
  // Before the image is mounted: cleaning up goes backwards, and this is to go after what is mounted of it.
  const intent = await journal.intend({ kind: "overlay", holder: await overlay.sandbox.identify() });
  undo.defer(() => intent.gone());
  const owned = undo.move();
  const release = { ...overlay, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
  return keepable(context, release, () => overlay.sandbox.keep(() => Promise.resolve()));
}

/** Makes the overlay a block device of this host. */
export async function attachOverlay(context: DirectContext, overlay: Overlay): Promise<AttachedDevice> {
  const device = await context.failure.watch(overlay.attach());
  context.emit({ type: "message", text: `The disk is ${device.devicePath}` });
  return keepable(context, device);
}
