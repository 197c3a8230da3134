import { describeUsage, priceUsd } from "../../aws/ebs-prices.ts";
import type { Ec2Api } from "../../aws/ec2-api.ts";
import { systemClock } from "../../base/clock.ts";
import { ToolError } from "../../base/errors.ts";
import type { ImageId, SnapshotId } from "../../base/ids.ts";
import { formatBytes, formatCount } from "../../base/units.ts";
import { manifestStore } from "../../snapshot-transfer/manifest-store.ts";
import { findManifest } from "../../snapshot-transfer/packer-manifest.ts";
import { type VerifiedSnapshot, verifySnapshot } from "../../snapshot-transfer/verify-snapshot.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { createTransferView } from "../ui/transfer-view.ts";
import { usageError } from "../usage-error.ts";
import { connectForTransfer, type PlaceOptions } from "./transfer-place.ts";

export interface VerifyOptions extends PlaceOptions {
  readonly manifest?: string;
}

/** Compares the blocks of an image's snapshots, or of one snapshot, with what was written, as far as that is recorded. */
export async function runVerify(id: string, options: VerifyOptions, context: CliContext): Promise<ExitCode> {
  using signal = context.abortOnSignals();
  using view = createTransferView(context, { isJson: options.json ?? false, verb: "read" });
  await using connection = await connectForTransfer(options, context, { signal, onRetry: view.retried });
  const { ebs, ec2 } = connection;
  const manifests = manifestStore(context.environment);
  const snapshotIds = await snapshotsOf(id, ec2);
  const total = { isSame: true, blockCount: 0, unknownCount: 0 };
  for (const snapshotId of snapshotIds) {
    const manifest =
      options.manifest === undefined
        ? await manifests.read(snapshotId)
        : await findManifest(options.manifest, snapshotId);
    if (manifest === undefined) throw noManifest(snapshotId, manifests.pathOf(snapshotId));
    const { progress } = view;
    const verified = await verifySnapshot({ snapshotId, manifest, ebs, signal, clock: systemClock, emit: progress });
    total.isSame &&= verified.isSame;
    total.blockCount += verified.blockCount;
    total.unknownCount += verified.unknownCount;
    for (const text of verdict(snapshotId, verified, manifest.sizeBytes)) {
      view.note({ type: "verified", snapshotId, ...verified }, text);
      if (options.json) break;
    }
  }
  view.result(
    { type: "verify", ...total, snapshotIds, requests: ebs.usage, priceUsd: priceUsd(ebs.usage) },
    `${id}  (${totalText(total)}; ${describeUsage(ebs.usage)})`,
  );
  return total.isSame ? 0 : 1;
}

type Total = Pick<VerifiedSnapshot, "isSame" | "blockCount" | "unknownCount">;

/** Says no more than was looked at. */
function totalText({ isSame, blockCount, unknownCount }: Total): string {
  const compared = `${formatCount(blockCount)} of ${formatCount(blockCount + unknownCount)} blocks compared`;
  if (!isSame) return `it is not what was written, ${compared}`;
  if (unknownCount === 0) return `it is what was written, ${compared}`;
  return `${compared}, and as they were written; the other ${formatCount(unknownCount)} have no recorded hash`;
}

async function snapshotsOf(id: string, ec2: Ec2Api): Promise<SnapshotId[]> {
  if (id.startsWith("snap-")) return [id as SnapshotId];
  if (!id.startsWith("ami-")) throw usageError(`Cannot verify "${id}": it is no id of an image or a snapshot`);
  const [image] = await ec2.findImages({ imageIds: [id as ImageId], filters: {}, includeDeprecated: true });
  const snapshotIds = image?.blockDeviceMappings.flatMap(({ ebs }) => ebs?.snapshotId ?? []) ?? [];
  // A snapshot may be behind two devices.
  if (snapshotIds.length > 0) return [...new Set(snapshotIds)] as SnapshotId[];
  throw new ToolError(
    "ERR_SOURCE_IMAGE",
    `Cannot verify "${id}": ${image === undefined ? "there is no such image" : "it has no snapshots"}`,
    {
      fault: "usage",
    },
  );
}

// Of many blocks the first are enough to look at; --json has them all.
const SHOWN_MAX = 20;

function verdict(snapshotId: SnapshotId, verified: VerifiedSnapshot, expectedBytes: number): string[] {
  const { isSame, sizeBytes, differences, blockCount, unknownCount } = verified;
  if (isSame) {
    const others = `; ${formatCount(unknownCount)} have no recorded hash: they are the source's, and nobody has looked at them`;
    return [
      `${snapshotId}: ${formatCount(blockCount)} blocks are as they were written${unknownCount > 0 ? others : ""}`,
    ];
  }
  const size = `its size is ${formatBytes(sizeBytes)}, not ${formatBytes(expectedBytes)}`;
  return [
    ...(sizeBytes === expectedBytes ? [] : [`${snapshotId}: ${size}`]),
    ...Object.entries(differences).flatMap(([kind, indexes]) =>
      indexes.length === 0 ? [] : [`${snapshotId}: ${indexes.length} blocks are ${kind}: ${listed(indexes)}`],
    ),
  ];
}

function listed(indexes: readonly number[]): string {
  const shown = indexes.slice(0, SHOWN_MAX).join(", ");
  return indexes.length > SHOWN_MAX ? `${shown}, … (--json has them all)` : shown;
}

function noManifest(snapshotId: SnapshotId, path: string): ToolError {
  return new ToolError("ERR_MANIFEST", `Cannot verify ${snapshotId}: this host has no manifest of it in "${path}"`, {
    fault: "usage",
    hint: "Name the file that the manifest post-processor wrote: --manifest FILE",
  });
}
