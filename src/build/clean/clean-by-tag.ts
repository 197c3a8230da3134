// What still carries the draft tag, whoever made it: for builds whose journal is lost, with their host most likely.
import { hasCode } from "../../aws/aws-error.ts";
import type { Ec2Api, TaggedResource } from "../../aws/ec2-api.ts";
import type { Clock } from "../../base/clock.ts";
import type { VolumeId } from "../../base/ids.ts";
import { together } from "../../base/together.ts";
import { isGoing, removeResource } from "../draft.ts";
import { listJournals, openDeadJournal } from "../journal/dead-journals.ts";
import { DRAFT_TAG, parseDraftValue } from "../journal/journal-entries.ts";
import { detachVolume } from "../root-disk/attached/detach-volume.ts";
import type { CleanEvent, CleanSummary, DraftResource } from "./clean-events.ts";

export interface CleanByTagOptions {
  readonly ec2: Ec2Api;
  readonly journalDirectory: string;
  /** What is at least as old is removed. Missing: nothing is, it is only listed. */
  readonly olderThanMs: number | undefined;
  /** Asked where a volume is attached. @returns undefined if this host is no instance. */
  readonly findOwnInstanceId: () => Promise<string | undefined>;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: (event: CleanEvent) => void;
}

/**
 * Lists what carries the draft tag in one account and region, and removes what is old enough. Nothing else, ever, and
 * nothing of a build that may still be at work, here or elsewhere.
 */
export async function cleanByTag(options: CleanByTagOptions): Promise<CleanSummary> {
  const { emit, isDryRun, olderThanMs, signal } = options;
  const drafts = await listDrafts(options);
  let removed = 0;
  let failed = 0;
  const leftAlone = new Set<string>();
  for (const draft of drafts) {
    signal.throwIfAborted();
    emit({ type: "draft", draft });
    if (olderThanMs === undefined || draft.build === "running" || (draft.ageMs ?? -1) < olderThanMs) continue;
    if (draft.atWork !== undefined) {
      leftAlone.add(draft.draft);
      continue;
    }
    const { kind, id } = draft;
    try {
      if (!isDryRun && !(await removeDraft(draft, options))) continue;
      removed++;
      emit({ type: isDryRun ? "would-remove" : "removed", buildId: undefined, kind, id });
    } catch (error) {
      failed++;
      emit({ type: "failed", buildId: undefined, kind, id, error });
    }
  }
  const running = new Set(drafts.flatMap(({ build, draft }) => (build === "running" ? [draft] : [])));
  return { removed, failed, dead: 0, running: running.size, leftAlone: leftAlone.size };
}

/** In the order in which they can be removed: an image uses its snapshots. */
async function listDrafts(options: CleanByTagOptions): Promise<DraftResource[]> {
  const { ec2, journalDirectory, clock } = options;
  const before = await journalledBuilds(journalDirectory);
  const kinds = (["image", "snapshot", "volume"] as const).map((kind) => ec2.findTagged(kind, { key: DRAFT_TAG }));
  const found = (await together(kinds)).flat().filter(({ state }) => !isGoing(state));
  const builds = runningInEither(before, await journalledBuilds(journalDirectory));
  const atWork = await signsOfWork(found, options);
  return found.map((resource) => ({
    ...draftResource(resource, builds, clock.now()),
    atWork: atWork.get(draftOf(resource)),
  }));
}

/**
 * What only a build that is at work would have, by its draft tag: its host may be another one, and take longer than anybody
 * thought. What is pending comes to an end without it, and what is attached goes with its instance or is known there.
 */
async function signsOfWork(
  found: readonly TaggedResource[],
  { findOwnInstanceId }: CleanByTagOptions,
): Promise<Map<string, string>> {
  const signs = new Map<string, string>();
  const isAttached = found.some(({ attachedTo }) => attachedTo.length > 0);
  const ownInstanceId = isAttached ? await findOwnInstanceId() : undefined;
  for (const resource of found) {
    const { id, state, attachedTo } = resource;
    const [elsewhere] = attachedTo.filter((instanceId) => instanceId !== ownInstanceId);
    if (state === "pending") signs.set(draftOf(resource), `${id} is pending`);
    if (elsewhere !== undefined) signs.set(draftOf(resource), `${id} is attached to ${elsewhere}`);
  }
  return signs;
}

function draftOf({ tags }: TaggedResource): string {
  return tags[DRAFT_TAG] ?? "";
}

function draftResource(
  resource: TaggedResource,
  builds: JournalledBuilds,
  nowMs: number,
): Omit<DraftResource, "atWork"> {
  const { kind, id, state } = resource;
  const draft = draftOf(resource);
  const { buildId, startMs } = parseDraftValue(draft);
  const ageMs = Number.isNaN(startMs) ? undefined : Math.max(0, nowMs - startMs);
  return { kind, id, state, draft, ageMs, build: builds.get(buildId ?? "") ?? "unknown" };
}

type JournalledBuilds = ReadonlyMap<string, "running" | "journal">;

async function journalledBuilds(directory: string): Promise<JournalledBuilds> {
  const builds = new Map<string, "running" | "journal">();
  for (const buildId of await listJournals(directory)) {
    await using journal = await openDeadJournal(directory, buildId);
    if (journal?.state === "running") builds.set(buildId, "running");
    if (journal?.state === "dead" || journal?.state === "busy") builds.set(buildId, "journal");
  }
  return builds;
}

/**
 * A build that has ended while everything was listed has no journal any more; but what it finished was listed with the tag
 * that it had until then.
 */
function runningInEither(before: JournalledBuilds, after: JournalledBuilds): JournalledBuilds {
  const running = [...before, ...after].filter(([, state]) => state === "running");
  return new Map([...before, ...after, ...running]);
}

/**
 * Whether it still is a draft that nobody works on. Asked right before it is removed: the builds of other hosts go on, and
 * what they finish has no tag any more.
 */
async function isStillFree({ kind, id, draft }: DraftResource, options: CleanByTagOptions): Promise<boolean> {
  const found = await options.ec2.findTagged(kind, { key: DRAFT_TAG, value: draft });
  // The tag is compared here too: in a filter, some characters stand for others.
  const same = found.filter((one) => one.id === id && draftOf(one) === draft && !isGoing(one.state));
  return same.length > 0 && (await signsOfWork(same, options)).size === 0;
}

/** @returns false if it was gone already, has been finished or taken up since, or belongs to an image that is none of ours. */
async function removeDraft(draft: DraftResource, options: CleanByTagOptions): Promise<boolean> {
  const { kind, id } = draft;
  const { clock } = options;
  const ec2 = options.ec2.releasing;
  if (!(await isStillFree(draft, options))) return false;
  try {
    if (kind === "volume") await detachVolume(ec2, { volumeId: id as VolumeId, clock, tell: () => {} });
    return await removeResource(ec2, { kind, id, visibleByMs: 0, clock });
  } catch (error) {
    if (hasCode(error, "InvalidSnapshot.InUse")) return false;
    throw error;
  }
}
