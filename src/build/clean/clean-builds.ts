// Undoes what builds left that died: of each, backwards, what its journal says may exist.
import type { Ec2Api } from "../../aws/ec2-api.ts";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import type { Clock } from "../../base/clock.ts";
import type { SnapshotId } from "../../base/ids.ts";
import type { ManifestStore } from "../../snapshot-transfer/manifest-store.ts";
import { listJournals, type OpenedJournal, openDeadJournal } from "../journal/dead-journals.ts";
import type { BuildPlace, JournalRecord, OpenIntent } from "../journal/journal-entries.ts";
import type { CleanEvent, CleanSummary } from "./clean-events.ts";
import { undoIntent } from "./undo-intent.ts";

/** A way to the account or the local cloud of a build. */
export interface PlaceConnection extends AsyncDisposable {
  readonly ec2: Ec2Api;
}

export interface CleanOptions {
  readonly journalDirectory: string;
  /** @returns undefined if the place is gone, and with it all that was made there: a local cloud that was deleted. */
  readonly connect: (place: BuildPlace) => Promise<PlaceConnection | undefined>;
  readonly manifests: Pick<ManifestStore, "removeUnfinished">;
  /** Only tells what would be done. */
  readonly isDryRun: boolean;
  /** Leaves builds alone that began later than this before now. */
  readonly olderThanMs: number;
  /** How long after a call to look for what it made, where nobody learnt it. */
  readonly settleMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: (event: CleanEvent) => void;
}

/**
 * Undoes what dead builds left, oldest build first. Builds that run are not touched; what cannot be undone stays in its journal.
 * May run any number of times, and beside itself.
 *
 * @throws {ToolError} if the journals cannot be read, or the signal's reason.
 */
export async function cleanBuilds(options: CleanOptions): Promise<CleanSummary> {
  const { emit, journalDirectory, signal } = options;
  const summary = { removed: 0, failed: 0, dead: 0, running: 0, leftAlone: 0 };
  await using connections = new Connections(options.connect);
  for (const buildId of await listJournals(journalDirectory)) {
    signal.throwIfAborted();
    await using journal = await openDeadJournal(journalDirectory, buildId);
    if (journal === undefined) continue;
    if (journal.state === "running") {
      summary.running++;
      emit({ type: "build", buildId, state: "running" });
    } else if (journal.state === "unreadable") {
      summary.failed++;
      emit({ type: "failed", buildId, kind: "journal", id: journal.path, error: journal.error });
    } else if (journal.state === "elsewhere") {
      summary.leftAlone++;
      emit({ type: "build", buildId, state: "elsewhere", ...aboutBuild(journal.record) });
    } else if (journal.state === "busy") {
      summary.leftAlone++;
      emit({ type: "build", buildId, state: "busy" });
    } else if (isTooYoung(journal.record, options)) {
      summary.leftAlone++;
    } else {
      summary.dead++;
      const { removed, failed } = await cleanBuild(journal, journal.record, connections, options);
      summary.removed += removed;
      summary.failed += failed;
    }
  }
  return summary;
}

function aboutBuild({ build }: JournalRecord) {
  const { buildName, template, startTime, host } = build;
  return { buildName, template, startTime, host };
}

function isTooYoung({ build }: JournalRecord, { olderThanMs, clock }: CleanOptions): boolean {
  // Also where the clock was set back since.
  return Math.max(0, clock.now() - Date.parse(build.startTime)) < olderThanMs;
}

async function cleanBuild(
  journal: OpenedJournal,
  record: JournalRecord,
  connections: Connections,
  options: CleanOptions,
): Promise<{ removed: number; failed: number }> {
  const { emit, signal, isDryRun } = options;
  const { buildId } = journal;
  let removed = 0;
  let failed = 0;
  emit({ type: "build", buildId, state: "dead", ...aboutBuild(record) });
  if (record.finished !== undefined) emit({ ...record.finished, type: "kept", buildId });
  for (const intent of record.open.toReversed()) {
    signal.throwIfAborted();
    try {
      for await (const { kind, id } of undoIntent(intent, record, { ...options, connection: connections.to(record) })) {
        removed++;
        emit({ type: isDryRun ? "would-remove" : "removed", buildId, kind, id });
      }
    } catch (error) {
      signal.throwIfAborted();
      failed++;
      emit({ type: "failed", buildId, ...describe(intent), error });
      // What is mounted in it keeps all the rest: it would be waited for in vain.
      if (intent.kind === "sandbox") break;
    }
  }
  if (failed === 0 && !isDryRun) {
    // It may have died when it was noting what its snapshots hold.
    for (const id of record.finished?.snapshotIds ?? []) await options.manifests.removeUnfinished(id as SnapshotId);
    await journal.remove();
  }
  return { removed, failed };
}

function describe(intent: OpenIntent): { kind: string; id: string } {
  if (intent.kind === "mountpoint") return { kind: "directory", id: intent.path };
  if (intent.kind === "sandbox") return { kind: "mount", id: intent.mountpoint };
  if (intent.kind === "attachment") return { kind: "attachment", id: intent.volumeId };
  return { kind: intent.kind, id: intent.id ?? "(of unknown id)" };
}

/** One connection for each place, made when it is needed first. */
class Connections implements AsyncDisposable {
  readonly #connect: CleanOptions["connect"];
  readonly #made = new Map<string, Promise<PlaceConnection | undefined>>();
  readonly #owned = new AsyncDisposableStack();

  constructor(connect: CleanOptions["connect"]) {
    this.#connect = connect;
  }

  to({ build: { place } }: JournalRecord): () => Promise<Ec2Api | undefined> {
    const key = JSON.stringify(place);
    return async () => {
      let connection = this.#made.get(key);
      if (connection === undefined) {
        connection = this.#connect(place);
        this.#made.set(key, connection);
        const made = await connection;
        if (made !== undefined) this.#owned.use(made);
      }
      return (await connection)?.ec2;
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }
}
