import { basename, resolve } from "node:path";
import { describeUsage, priceUsd } from "../../aws/ebs-prices.ts";
import { systemClock } from "../../base/clock.ts";
import type { SnapshotId } from "../../base/ids.ts";
import { formatBytes, formatDuration, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { manifestStore } from "../../snapshot-transfer/manifest-store.ts";
import { stateDirectory } from "../../snapshot-transfer/state-directory.ts";
import { type UploadEvent, uploadFile } from "../../snapshot-transfer/upload-file.ts";
import type { UploadPlan } from "../../snapshot-transfer/upload-record.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { reportFailure } from "../report-failure.ts";
import { createTransferView, type TransferView } from "../ui/transfer-view.ts";
import { usageError } from "../usage-error.ts";
import { connectForTransfer, type PlaceOptions } from "./transfer-place.ts";

export interface SnapshotUploadOptions extends PlaceOptions {
  readonly description?: string;
  readonly tag?: readonly string[];
  readonly parent?: string;
  /** GiB */
  readonly size?: number;
  readonly encrypted?: boolean;
  readonly kmsKey?: string;
}

/** Makes a snapshot of a raw disk. */
export async function runSnapshotUpload(
  file: string,
  options: SnapshotUploadOptions,
  context: CliContext,
): Promise<ExitCode> {
  const plan = planOf(file, options);
  using signal = context.abortOnSignals();
  using view = createTransferView(context, { isJson: options.json ?? false, verb: "sent" });
  await using connection = await connectForTransfer(options, context, { signal, onRetry: view.retried });
  const { ebs, ec2 } = connection;
  let pending: SnapshotId | undefined;
  let isSealing = false;
  const place = await connection.place();
  const start = performance.now();
  try {
    const { snapshotId, sizeGib, writtenBlocks } = await uploadFile({
      path: resolve(file),
      sizeGib: options.size,
      plan,
      place,
      ebs,
      ec2,
      manifests: manifestStore(context.environment),
      stateDirectory: stateDirectory(context.environment),
      signal,
      clock: systemClock,
      emit(event) {
        if (event.type === "started" || event.type === "resumed") pending = event.snapshotId;
        isSealing ||= event.type === "sealing";
        showEvent(event, view);
      },
    });
    const elapsedMs = performance.now() - start;
    const written = formatBytes(writtenBlocks * SNAPSHOT_BLOCK_BYTES);
    const requests = ebs.usage;
    view.result(
      {
        type: "snapshot-upload",
        snapshotId,
        sizeGib,
        writtenBlocks,
        elapsedMs,
        requests,
        priceUsd: priceUsd(requests),
      },
      `${snapshotId}  (${sizeGib} GiB, ${written} written in ${formatDuration(elapsedMs)}; ${describeUsage(requests)})`,
    );
    return 0;
  } catch (error) {
    if (pending === undefined) throw error;
    view[Symbol.dispose]();
    reportFailure(error, options.json ? ["--json"] : [], context);
    view.note(
      { type: "left-behind", snapshotId: pending },
      isSealing
        ? `${pending} was not complete yet. Run the same command again to wait for it`
        : `${pending} is not complete. Run the same command again to go on, or remove it: amibake clean`,
    );
    return 3;
  }
}

function planOf(file: string, options: SnapshotUploadOptions): Omit<UploadPlan, "sizeGib"> {
  const { parent, encrypted, kmsKey } = options;
  if (parent !== undefined && (encrypted || kmsKey !== undefined)) {
    throw usageError(
      `Cannot use ${encrypted ? "--encrypted" : "--kms-key"} with --parent: a child has its parent's encryption`,
      "Leave one of them out, or make an encrypted copy of the parent: aws ec2 copy-snapshot --encrypted",
    );
  }
  return {
    parentSnapshotId: parent as SnapshotId | undefined,
    description: options.description ?? basename(file).slice(0, 255),
    tags: parseTags(options.tag ?? []),
    // With a key, EBS takes nothing but true.
    encrypted: encrypted || kmsKey !== undefined ? true : undefined,
    kmsKeyArn: kmsKey,
  };
}

function parseTags(texts: readonly string[]): Record<string, string> {
  const tags = new Map<string, string>();
  for (const [key, value] of texts.map(parseTag)) {
    if (tags.has(key)) {
      throw usageError(`Cannot give the tag "${key}" twice`, "Leave one out: a snapshot has one tag of each key");
    }
    tags.set(key, value);
  }
  return Object.fromEntries(tags);
}

function parseTag(text: string): [key: string, value: string] {
  const equals = text.indexOf("=");
  if (equals <= 0) throw usageError(`Cannot understand --tag "${text}"`, "Give a key and a value: --tag Name=web");
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function showEvent(event: UploadEvent, view: TransferView): void {
  if (event.type === "progress") view.progress(event);
  else view.note(event, eventText(event));
}

function eventText(event: Exclude<UploadEvent, { readonly type: "progress" }>): string {
  switch (event.type) {
    case "started":
      return `Uploading into ${event.snapshotId}, ${event.sizeGib} GiB`;
    case "resumed":
      return `Going on with ${event.snapshotId}: ${event.acknowledgedBlocks.toLocaleString("en-US")} blocks are there already`;
    case "started-over":
      return `Starting over: ${event.reason}`;
    case "sealing":
      return `Waiting for ${event.snapshotId} to be completed`;
    case "manifest-lost":
      return `${event.reason}: amibake verify will need --manifest`;
  }
}
