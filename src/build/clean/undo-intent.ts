import { stat } from "node:fs/promises";
import { hasCode } from "../../aws/aws-error.ts";
import type { Ec2Api, ResourceKind } from "../../aws/ec2-api.ts";
import { waitFor } from "../../aws/wait.ts";
import type { Clock } from "../../base/clock.ts";
import { ToolError } from "../../base/errors.ts";
import type { SnapshotId, VolumeId } from "../../base/ids.ts";
import { isMountedAnywhere } from "../../linux/mounts/mount-table.ts";
import { endKeptSandbox, isSandboxKept } from "../../linux/sandbox/kept-sandbox.ts";
import { currentBootId } from "../../linux/sandbox/process-identity.ts";
import { findDrafts, isGoing, removeResource } from "../draft.ts";
import { lockMountpoint, removeEmptyDirectories } from "../image-root/mount-root.ts";
import type { JournalRecord, OpenIntent } from "../journal/journal-entries.ts";
import { detachVolume } from "../root-disk/attached/detach-volume.ts";

export interface Undoing {
  /** @returns undefined if the place is gone with all that was there. */
  readonly connection: () => Promise<Ec2Api | undefined>;
  readonly isDryRun: boolean;
  readonly settleMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

interface Undone {
  readonly kind: string;
  readonly id: string;
}

/**
 * Undoes one thing that a dead build announced, whether or not it came to be.
 *
 * @returns what was there and is gone now; in a dry run, what is there.
 */
export async function* undoIntent(
  intent: OpenIntent,
  record: JournalRecord,
  undoing: Undoing,
): AsyncGenerator<Undone, void> {
  if (intent.kind === "mountpoint") return void (yield* undoMountpoint(intent, undoing));
  if (intent.kind === "sandbox") {
    return void (yield* undoSandbox(intent, record, undoing, { kind: "mount", id: intent.mountpoint }));
  }
  if (intent.kind === "overlay") {
    return void (yield* undoSandbox(intent, record, undoing, {
      kind: "overlay",
      id: `of process ${intent.holder.pid}`,
    }));
  }
  const ec2 = await undoing.connection();
  if (ec2 === undefined) return;
  if (intent.kind === "attachment") return void (yield* undoAttachment(intent, ec2, undoing));
  const { kind } = intent;
  for (const id of await findMade({ ...intent, kind }, record, ec2, undoing)) {
    if (undoing.isDryRun ? await exists(kind, id, ec2) : await undoResource(kind, id, intent, ec2, undoing))
      yield { kind, id };
  }
}

type ResourceIntent = OpenIntent & { readonly kind: ResourceKind };

/** What the intent's call made, and a twin of it where its answer was lost. Never what became the user's. */
async function findMade(
  intent: ResourceIntent,
  { build, finished }: JournalRecord,
  ec2: Ec2Api,
  { settleMs, signal, clock }: Undoing,
): Promise<string[]> {
  const kept = new Set(finished === undefined ? [] : [finished.imageId, ...finished.snapshotIds]);
  const look = async () =>
    (await findDrafts(ec2, intent.kind, build.draft)).filter((id) => !kept.has(id) && id !== intent.id);
  if (intent.id !== undefined) return [intent.id, ...(await look())];
  const lookUntilMs = Math.min(Date.parse(intent.time), clock.now()) + settleMs;
  return waitFor(
    async () => {
      const found = await look();
      return found.length > 0 || clock.now() >= lookUntilMs ? found : undefined;
    },
    { what: `a ${intent.kind} to show up`, deadlineMs: 2 * settleMs, signal, clock },
  );
}

async function exists(kind: ResourceKind, id: string, ec2: Ec2Api): Promise<boolean> {
  if (kind === "image") return (await ec2.findImages({ filters: { "image-id": [id] }, owners: ["self"] })).length > 0;
  if (kind === "snapshot") return (await ec2.findSnapshot(id as SnapshotId)) !== undefined;
  const volume = await ec2.findVolume(id as VolumeId);
  return volume !== undefined && !isGoing(volume.state);
}

async function existing(directories: readonly string[]): Promise<Undone[]> {
  const found = await Promise.all(directories.map((path) => stat(path).catch(() => undefined)));
  return directories.filter((_, index) => found[index] !== undefined).map((id) => ({ kind: "directory", id }));
}

/** @returns whether it was there. */
async function undoResource(
  kind: ResourceKind,
  id: string,
  { time }: OpenIntent,
  ec2: Ec2Api,
  { settleMs, signal, clock }: Undoing,
): Promise<boolean> {
  // From now at the latest: the clock may have been set back since.
  const visibleByMs = Math.min(Date.parse(time), clock.now()) + settleMs;
  const remove = () => removeResource(ec2.releasing, { kind, id, visibleByMs, clock, signal });
  try {
    return await remove();
  } catch (error) {
    if (kind !== "volume" || !hasCode(error, "VolumeInUse")) throw error;
    // It was being attached when its build died.
    await detachVolume(ec2.releasing, { volumeId: id as VolumeId, clock, signal, tell: () => {} });
    return remove();
  }
}

async function* undoAttachment(
  { volumeId }: Extract<OpenIntent, { kind: "attachment" }>,
  ec2: Ec2Api,
  { isDryRun, signal, clock }: Undoing,
): AsyncGenerator<Undone, void> {
  const volume = await ec2.findVolume(volumeId as VolumeId);
  if (volume === undefined || volume.attachments.length === 0) return;
  if (!isDryRun) await detachVolume(ec2.releasing, { volumeId: volume.volumeId, clock, signal, tell: () => {} });
  yield { kind: "attachment", id: `${volumeId} as ${volume.attachments[0]?.deviceName}` };
}

async function* undoSandbox(
  { holder }: Extract<OpenIntent, { kind: "sandbox" | "overlay" }>,
  { build }: JournalRecord,
  { isDryRun }: Undoing,
  what: Undone,
): AsyncGenerator<Undone, void> {
  // Of an earlier boot it is gone, and its number may be anybody's.
  if (build.bootId !== (await currentBootId()) || !(await isSandboxKept(holder))) return;
  if (!isDryRun) await endKeptSandbox(holder);
  yield what;
}

async function* undoMountpoint(
  { path, directories }: Extract<OpenIntent, { kind: "mountpoint" }>,
  { isDryRun }: Undoing,
): AsyncGenerator<Undone, void> {
  try {
    await using _lock = await lockMountpoint(path);
    // rmdir(2) would take away what a kept build has mounted there, in its own namespace.
    if (await isMountedAnywhere(path)) return;
    if (isDryRun) return void (yield* await existing(directories));
    for (const id of await removeEmptyDirectories(directories)) yield { kind: "directory", id };
  } catch (error) {
    // A build that lives mounts there now: the directories are its own as well.
    if (!(error instanceof ToolError && error.code === "ERR_MOUNTPOINT_IN_USE")) throw error;
  }
}
