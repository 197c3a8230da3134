import { resolve } from "node:path";
import { describeUsage, priceUsd } from "../../aws/ebs-prices.ts";
import { systemClock } from "../../base/clock.ts";
import type { SnapshotId } from "../../base/ids.ts";
import { formatBytes, formatDuration, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { type DownloadEvent, downloadFile } from "../../snapshot-transfer/download-file.ts";
import { manifestStore } from "../../snapshot-transfer/manifest-store.ts";
import { Interruption } from "../abort-on-signals.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { createTransferView, type TransferView } from "../ui/transfer-view.ts";
import { connectForTransfer, type PlaceOptions } from "./transfer-place.ts";

export interface SnapshotDownloadOptions extends PlaceOptions {
  readonly force?: boolean;
}

/** Writes a snapshot into a sparse file. */
export async function runSnapshotDownload(
  { snapshot, file }: { readonly snapshot: string; readonly file: string },
  options: SnapshotDownloadOptions,
  context: CliContext,
): Promise<ExitCode> {
  const path = resolve(file);
  const snapshotId = snapshot as SnapshotId;
  using signal = context.abortOnSignals();
  using view = createTransferView(context, { isJson: options.json ?? false, verb: "fetched" });
  await using connection = await connectForTransfer(options, context, { signal, onRetry: view.retried });
  const { ebs } = connection;
  let partPath: string | undefined;
  const start = performance.now();
  try {
    const { sizeGib, blockCount } = await downloadFile({
      snapshotId,
      path,
      force: options.force ?? false,
      ebs,
      manifests: manifestStore(context.environment),
      signal,
      clock: systemClock,
      emit(event) {
        if (event.type === "started") partPath = event.partPath;
        showEvent(event, view);
      },
    });
    const elapsedMs = performance.now() - start;
    const fetched = formatBytes(blockCount * SNAPSHOT_BLOCK_BYTES);
    const requests = ebs.usage;
    view.result(
      { type: "snapshot-download", path, sizeGib, blockCount, elapsedMs, requests, priceUsd: priceUsd(requests) },
      `${path}  (${sizeGib} GiB, ${fetched} of data in ${formatDuration(elapsedMs)}; ${describeUsage(requests)})`,
    );
    return 0;
  } catch (error) {
    if (partPath !== undefined && error instanceof Interruption) {
      const text = `${partPath} is not complete. Run the same command again to go on, or remove it and ${partPath}.log`;
      view.note({ type: "left-behind", path: partPath }, text);
    }
    throw error;
  }
}

function showEvent(event: DownloadEvent, view: TransferView): void {
  if (event.type === "progress") {
    view.progress(event);
  } else if (event.type === "started") {
    const count = event.totalBlocks.toLocaleString("en-US");
    view.note(event, `Downloading ${count} blocks of ${event.sizeGib} GiB`);
  } else {
    view.note(event, `Going on: ${event.writtenBlocks.toLocaleString("en-US")} blocks are there already`);
  }
}
