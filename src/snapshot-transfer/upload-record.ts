import { createHash } from "node:crypto";
import type { StartSnapshotPlan } from "../aws/ebs-api.ts";
import type { SnapshotId } from "../base/ids.ts";
import type { HostIdentity } from "../linux/sandbox/process-identity.ts";
import type { FileIdentity } from "./disk-file.ts";

/** Where a snapshot is. Nothing secret: whoever comes back brings credentials of their own. */
export interface TransferPlace {
  readonly accountId: string;
  readonly region: string;
  /** The directory of a local cloud, whatever port that has today. */
  readonly store?: string | undefined;
  /** The EC2 endpoint, where it is not AWS's own. */
  readonly endpoint?: string | undefined;
  /** That of the EBS direct APIs, where it is not AWS's own. */
  readonly ebsEndpoint?: string | undefined;
  readonly profile?: string | undefined;
}

export interface UploadPlan {
  readonly sizeGib: number;
  readonly parentSnapshotId?: SnapshotId | undefined;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly encrypted?: boolean | undefined;
  readonly kmsKeyArn?: string | undefined;
}

/** What the head of an upload's log says. */
export interface UploadRecord extends HostIdentity {
  readonly version: 1;
  /** ISO 8601 */
  readonly startTime: string;
  readonly place: TransferPlace;
  readonly file: FileIdentity;
  readonly plan: UploadPlan;
  /** Of StartSnapshot: repeating it gives the same snapshot. */
  readonly clientToken: string;
}

// Minutes after the last block until EBS gives the snapshot up: a day to come back.
const TIMEOUT_MINUTES = 1440;

/** What starts the snapshot. With the same token, it must be the same each time. */
export function startPlan({ plan, clientToken }: Pick<UploadRecord, "plan" | "clientToken">): StartSnapshotPlan {
  return { ...plan, clientToken, timeoutMinutes: TIMEOUT_MINUTES };
}

/** The same for every run of one upload: what goes where. */
export function uploadId({ place, file, plan }: Pick<UploadRecord, "place" | "file" | "plan">): string {
  const { accountId, region, store, endpoint } = place;
  const whereTo = store === undefined ? { accountId, region, endpoint } : { accountId, region, store };
  const { sizeGib, parentSnapshotId, encrypted, kmsKeyArn } = plan;
  const what = { path: file.path, sizeGib, parentSnapshotId, encrypted, kmsKeyArn };
  return createHash("sha256")
    .update(JSON.stringify([whereTo, what]))
    .digest("hex")
    .slice(0, 16);
}

/** Why what an earlier run has put is of no use to this one; undefined if it is. */
export function changeSince(earlier: UploadRecord, now: Pick<UploadRecord, "file" | "plan">): string | undefined {
  if (!isSame(earlier.file, now.file)) return "the file has changed since";
  if (!isSame(earlier.plan, now.plan)) return "its description or tags were others";
  return undefined;
}

function isSame(a: object, b: object): boolean {
  const sorted = (value: object) =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .sort(),
    );
  return sorted(a) === sorted(b);
}
