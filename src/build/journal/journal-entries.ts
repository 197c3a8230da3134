// What a journal holds: a line of JSON for each thing that is about to be made, was made, or is gone. The first is the
// build's. Whoever reads it after a crash knows everything that may exist.
import { join } from "node:path";
import type { ResourceKind } from "../../aws/ec2-api.ts";
import type { ProcessIdentity } from "../../linux/sandbox/process-identity.ts";

/** The key of the tag that everything of an unfinished build carries. */
export const DRAFT_TAG = "amibake:draft";

export interface BuildEntry {
  readonly type: "build";
  readonly version: 1;
  /** Unique; the journal's name, and part of the draft tag. */
  readonly id: string;
  readonly buildName: string;
  readonly template: string;
  /** ISO 8601 */
  readonly startTime: string;
  readonly host: string;
  readonly machineId?: string | undefined;
  /** The kernel's, of this boot. */
  readonly bootId: string;
  readonly pid: number;
  /** The value of the draft tag. */
  readonly draft: string;
  readonly place: BuildPlace;
}

/** Where the build works. Nothing secret: whoever cleans up brings credentials of their own. */
export interface BuildPlace {
  readonly accountId: string;
  readonly region: string;
  /** The directory of a local cloud, whatever port that has today. */
  readonly store?: string | undefined;
  /** The EC2 endpoint, where it is not AWS's own. */
  readonly endpoint?: string | undefined;
  readonly profile?: string | undefined;
  readonly sharedCredentialsFile?: string | undefined;
}

/** What is about to be made, with what finds it again if nobody learns its id. */
export type Intent =
  /** Found by the draft tag. */
  | { readonly kind: ResourceKind; readonly clientToken?: string }
  | { readonly kind: "attachment"; readonly volumeId: string; readonly instanceId: string }
  /** A sandbox that outlives the build, with the image mounted in it. */
  | { readonly kind: "sandbox"; readonly mountpoint: string; readonly holder: ProcessIdentity }
  /** A disk that outlives the build, as what is mounted of it does. */
  | { readonly kind: "overlay"; readonly holder: ProcessIdentity }
  /** Directories of this host, a parent before what is in it. */
  | { readonly kind: "mountpoint"; readonly path: string; readonly directories: readonly string[] };

export type JournalEntry =
  | BuildEntry
  /** `n` is unique in the journal. `time` is in ISO 8601. */
  | ({ readonly type: "intent"; readonly n: number; readonly time: string } & Intent)
  /** Intent `n` came true. */
  | { readonly type: "made"; readonly n: number; readonly id: string }
  /** What intent `n` was about does not exist: undone, or never made. */
  | { readonly type: "gone"; readonly n: number }
  /** The draft tags of these are about to go. */
  | { readonly type: "finishing"; readonly imageId: string; readonly snapshotIds: readonly string[] }
  /** From here on the image and its snapshots are the user's. */
  | { readonly type: "finished"; readonly imageId: string; readonly snapshotIds: readonly string[] };

/** An intent with what became of it. */
export type OpenIntent = Intent & {
  readonly n: number;
  readonly time: string;
  /** Missing where nobody learnt it. */
  readonly id: string | undefined;
};

export interface JournalRecord {
  readonly build: BuildEntry;
  readonly finished: Extract<JournalEntry, { type: "finished" }> | undefined;
  /** What may exist, oldest first. */
  readonly open: readonly OpenIntent[];
}

/** The directory of all journals of this host. amibake runs as root, so there is one for all its users. */
export function journalDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment["AMIBAKE_STATE_DIR"] || "/var/lib/amibake", "builds");
}

export const JOURNAL_SUFFIX = ".journal";

/**
 * Reads a journal.
 *
 * A last line without its end was being written when the build died: what it announces had not begun.
 *
 * @returns undefined if it has no complete line: nothing was made.
 * @throws {SyntaxError} if a line is not one of ours.
 */
export function parseJournal(text: string): JournalRecord | undefined {
  const lines = text.split("\n").slice(0, -1);
  const [first, ...entries] = lines.map((line) => JSON.parse(line) as JournalEntry);
  if (lines.length === 0) return undefined;
  if (first?.type !== "build" || first.version !== 1) throw new SyntaxError("it is of another version of amibake");
  const open = new OpenIntents();
  let finished: JournalRecord["finished"];
  for (const entry of entries) {
    if (entry.type === "intent") open.add(entry);
    if (entry.type === "made") open.made(entry.n, entry.id);
    if (entry.type === "gone") open.gone(entry.n);
    if (entry.type === "finished") {
      finished = entry;
      open.finish([entry.imageId, ...entry.snapshotIds]);
    }
  }
  return { build: first, finished, open: open.list() };
}

/** What may exist, by what a journal says so far. */
export class OpenIntents {
  readonly #open = new Map<number, OpenIntent>();

  add(intent: Intent & { n: number; time: string }): void {
    this.#open.set(intent.n, { ...intent, id: undefined });
  }

  made(n: number, id: string): void {
    const intent = this.#open.get(n);
    if (intent !== undefined) this.#open.set(n, { ...intent, id });
  }

  gone(n: number): void {
    const gone = this.#open.get(n);
    this.#open.delete(n);
    if (gone?.kind !== "volume") return;
    // A volume that is gone is attached nowhere, also where its detaching failed.
    for (const other of this.#open.values()) {
      if (other.kind === "attachment" && other.volumeId === gone.id) this.#open.delete(other.n);
    }
  }

  /** These are the user's now. */
  finish(ids: readonly string[]): void {
    for (const { n, id } of this.#open.values()) if (id !== undefined && ids.includes(id)) this.#open.delete(n);
  }

  /** Oldest first. */
  list(): OpenIntent[] {
    return [...this.#open.values()];
  }
}

/** "build=… host=… start=…": who made a resource, for those who only see the resource. */
export function draftValue({ id, host, startTime }: Pick<BuildEntry, "id" | "host" | "startTime">): string {
  // The characters that every AWS service takes in a tag.
  return `build=${id} host=${host.replace(/[^\w.-]/g, "-").slice(0, 100)} start=${startTime}`;
}

/** What a draft tag says, as far as it can be understood. */
export function parseDraftValue(value: string): { buildId: string | undefined; startMs: number } {
  const [, buildId] = /(?:^| )build=(\S+)/.exec(value) ?? [];
  const [, start = ""] = /(?:^| )start=(\S+)/.exec(value) ?? [];
  return { buildId, startMs: Date.parse(start) };
}
