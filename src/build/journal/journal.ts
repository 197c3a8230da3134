import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { messageOf, ToolError } from "../../base/errors.ts";
import { syncDirectory } from "../../linux/files/atomic-file.ts";
import { type FileLock, lockFile } from "../../linux/files/file-lock.ts";
import { identifyHost } from "../../linux/sandbox/process-identity.ts";
import {
  type BuildPlace,
  DRAFT_TAG,
  draftValue,
  type Intent,
  JOURNAL_SUFFIX,
  type JournalEntry,
  OpenIntents,
} from "./journal-entries.ts";

/**
 * What a build is about to make and has made, on this host's disk before it is real.
 *
 * Its lock is held as long as the build lives. At the end of its scope the file is removed, unless
 * something it knows of may still exist: then `amibake clean` reads it.
 */
export interface Journal extends AsyncDisposable {
  readonly path: string;
  readonly buildId: string;
  /** For everything that the build makes in the account. */
  readonly draftTags: Readonly<Record<string, string>>;
  /** On disk when this resolves; only then may the call be sent. */
  intend(intent: Intent): Promise<JournalledIntent>;
  /**
   * The draft tags are about to go: what went before is on disk when this resolves, as the ids are now the only way
   * to find these again.
   */
  finishing(imageId: string, snapshotIds: readonly string[]): Promise<void>;
  /** The image is the user's from here on: nothing that comes later may remove it. */
  finish(imageId: string, snapshotIds: readonly string[]): Promise<void>;
}

export interface JournalledIntent {
  made(id: string): Promise<void>;
  /** It has been undone, or never was made. */
  gone(): Promise<void>;
}

export interface NewJournal {
  readonly directory: string;
  readonly buildName: string;
  readonly template: string;
  readonly place: BuildPlace;
}

/** @throws {ToolError} if it cannot be written: then nothing may be made either. */
export async function openJournal(options: NewJournal): Promise<Journal> {
  const startTime = new Date().toISOString();
  const id = `${startTime.replace(/[-:]|\..*/g, "")}-${randomBytes(4).toString("hex")}`;
  const path = join(options.directory, `${id}${JOURNAL_SUFFIX}`);
  const host = hostname();
  const draft = draftValue({ id, host, startTime });
  const { buildName, template, place } = options;
  const build = { id, buildName, template, startTime, ...(await identifyHost()), pid: process.pid, draft, place };
  const writer = await openWriter(path, options.directory);
  try {
    await writer.write({ type: "build", version: 1, ...build });
  } catch (error) {
    await writer.close({ remove: true });
    throw error;
  }
  return journalOf(writer, { path, buildId: id, draftTags: { [DRAFT_TAG]: draft } });
}

function journalOf(writer: Writer, about: Pick<Journal, "path" | "buildId" | "draftTags">): Journal {
  const open = new OpenIntents();
  let count = 0;
  return {
    ...about,
    async intend(intent) {
      const n = ++count;
      const time = new Date().toISOString();
      await writer.write({ type: "intent", n, time, ...intent });
      open.add({ n, time, ...intent });
      return {
        async made(id) {
          open.made(n, id);
          await writer.write({ type: "made", n, id });
        },
        async gone() {
          open.gone(n);
          // Where it cannot be written, cleaning up finds nothing, and that is no failure.
          await writer.write({ type: "gone", n }).catch(() => {});
        },
      };
    },
    async finishing(imageId, snapshotIds) {
      await writer.write({ type: "finishing", imageId, snapshotIds });
    },
    async finish(imageId, snapshotIds) {
      await writer.write({ type: "finished", imageId, snapshotIds });
      open.finish([imageId, ...snapshotIds]);
    },
    async [Symbol.asyncDispose]() {
      await writer.close({ remove: open.list().length === 0 });
    },
  };
}

/** What a restart of the host ends, or hardly anybody minds. */
const HOST_KINDS: readonly Intent["kind"][] = ["mountpoint", "overlay"];

/**
 * What must survive a power failure, before anything else happens. The rest need only survive amibake: as
 * long as there are tags, an id is found by its tag, and what is gone is not found.
 */
function isCommitment(entry: JournalEntry): boolean {
  if (entry.type === "intent") return !HOST_KINDS.includes(entry.kind);
  return entry.type === "finished" || entry.type === "finishing";
}

interface Writer {
  /** Survives this process when it resolves, and the host if it is a commitment. */
  write(entry: JournalEntry): Promise<void>;
  close(options: { remove: boolean }): Promise<void>;
}

async function openWriter(path: string, directory: string): Promise<Writer> {
  let lock: FileLock;
  let file: FileHandle;
  try {
    lock = await lockFile(path);
    file = await open(path, "a");
    await syncDirectory(directory);
  } catch (cause) {
    throw journalError(path, cause);
  }
  // One after the other: entries of things that are made side by side must not mix.
  let last: Promise<unknown> = Promise.resolve();
  let lengthBytes = 0;
  const append = async (line: Buffer, isDurable: boolean): Promise<void> => {
    try {
      await file.appendFile(line);
      if (isDurable) await file.datasync();
      lengthBytes += line.length;
    } catch (cause) {
      // Not a part of a line before the next one.
      await file.truncate(lengthBytes);
      throw cause;
    }
  };
  return {
    async write(entry) {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      const write = last.then(() => append(line, isCommitment(entry)));
      last = write.catch(() => {});
      await write.catch((cause: unknown) => {
        throw journalError(path, cause);
      });
    },
    async close({ remove }) {
      await last;
      // While it is locked: whoever sees it unlocked sees a dead build. One that stays by accident knows of nothing.
      if (remove) await rm(path, { force: true }).catch(() => {});
      await file.close();
      await lock[Symbol.asyncDispose]();
    },
  };
}

function journalError(path: string, cause: unknown): ToolError {
  const isFull = /\bENOSPC\b|\bEDQUOT\b/.test(messageOf(cause));
  return new ToolError("ERR_JOURNAL", `Cannot write the journal "${path}"`, {
    cause,
    fault: "host",
    hint: isFull
      ? "Make room there, or set AMIBAKE_STATE_DIR to a directory on another disk of this host"
      : "Set AMIBAKE_STATE_DIR to a directory of this host that can be written",
  });
}
