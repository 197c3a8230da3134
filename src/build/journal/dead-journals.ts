import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, systemCode, ToolError } from "../../base/errors.ts";
import { type FileLock, tryLockFile } from "../../linux/files/file-lock.ts";
import { namesWithSuffix } from "../../linux/files/names-with-suffix.ts";
import { currentBootId, identifyProcess, isThisHost } from "../../linux/sandbox/process-identity.ts";
import { JOURNAL_SUFFIX, type JournalRecord, parseJournal } from "./journal-entries.ts";

export type JournalState =
  /** Its build lives: hands off. */
  | { readonly state: "running" }
  /** Its build is dead, but another amibake has it in hand. */
  | { readonly state: "busy" }
  /** It was written on another host, where the lock that would tell whether its build lives is. */
  | { readonly state: "elsewhere"; readonly record: JournalRecord }
  | { readonly state: "unreadable"; readonly error: ToolError }
  | { readonly state: "dead"; readonly record: JournalRecord };

/** A journal that its build does not hold. Nobody else works on it until it is disposed of. */
export type OpenedJournal = AsyncDisposable &
  JournalState & {
    readonly buildId: string;
    readonly path: string;
    /** All that it knew of is settled. */
    remove(): Promise<void>;
  };

/** The ids of all builds that have a journal, oldest first. */
export async function listJournals(directory: string): Promise<string[]> {
  try {
    return await namesWithSuffix(directory, JOURNAL_SUFFIX);
  } catch (error) {
    throw new ToolError("ERR_JOURNAL", `Cannot read the journals in "${directory}": ${messageOf(error)}`, {
      cause: error,
      fault: "host",
      hint:
        systemCode(error) === "EACCES"
          ? "Run it as root, as the builds were"
          : "Set AMIBAKE_STATE_DIR to the directory that the builds had, or leave it out",
    });
  }
}

/**
 * Takes a journal in hand if its build is dead: the kernel gave its lock back.
 *
 * @returns undefined for one that has ended meanwhile, or that never came to announce anything.
 */
export async function openDeadJournal(directory: string, buildId: string): Promise<OpenedJournal | undefined> {
  const path = join(directory, `${buildId}${JOURNAL_SUFFIX}`);
  const about = { buildId, path, remove: () => rm(path, { force: true }) };
  const lock = await lockUnlessRunning(path);
  if (lock === "running" || lock === "busy") return { ...about, state: lock, async [Symbol.asyncDispose]() {} };
  const opened = { ...about, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() };
  try {
    const record = parseJournal(await readFile(path, "utf8"));
    if (record === undefined) {
      await opened.remove();
      await lock[Symbol.asyncDispose]();
      return undefined;
    }
    return { ...opened, record, state: (await isThisHost(record.build)) ? "dead" : "elsewhere" };
  } catch (cause) {
    return { ...opened, state: "unreadable", error: unreadable(path, cause) };
  }
}

const BUSY_LOOKS_MAX = 20;
const BUSY_LOOK_MS = 50;

/** Others look too, for a moment: a build that begins does. */
async function lockUnlessRunning(path: string): Promise<FileLock | "running" | "busy"> {
  for (let look = 1; ; look++) {
    const lock = await tryLockFile(path);
    if (lock !== undefined) return lock;
    if (await isHolderAlive(path)) return "running";
    if (look >= BUSY_LOOKS_MAX) return "busy";
    await delay(BUSY_LOOK_MS);
  }
}

/** Whether the process that wrote a journal is there. One that cannot be read yet is being begun. */
async function isHolderAlive(path: string): Promise<boolean> {
  try {
    const record = parseJournal(await readFile(path, "utf8"));
    if (record === undefined) return true;
    const { pid, bootId } = record.build;
    return bootId === (await currentBootId()) && (await identifyProcess(pid)) !== undefined;
  } catch {
    return true;
  }
}

/** How many builds of this host have ended without releasing what they made. */
export async function countDeadBuilds(directory: string): Promise<number> {
  let count = 0;
  for (const buildId of await listJournals(directory)) {
    await using journal = await openDeadJournal(directory, buildId);
    if (journal?.state === "dead") count++;
  }
  return count;
}

/**
 * Drops the journal of a build whose place or host is gone for good.
 *
 * @throws {ToolError} if there is none, or its build is running.
 */
export async function forgetBuild(directory: string, buildId: string): Promise<void> {
  if ((await listJournals(directory)).includes(buildId)) {
    await using journal = await openDeadJournal(directory, buildId);
    if (journal?.state !== "running" && journal?.state !== "busy") return await journal?.remove();
  }
  throw new ToolError(
    "ERR_NO_BUILD",
    `Cannot forget the build "${buildId}": there is no journal of a dead build of that name`,
    {
      fault: "usage",
      hint: "See which there are: amibake clean --dry-run",
    },
  );
}

function unreadable(path: string, cause: unknown): ToolError {
  return new ToolError("ERR_JOURNAL", `Cannot read the journal "${path}": ${messageOf(cause)}`, {
    cause,
    fault: "host",
    hint: "See what still carries the tag amibake:draft: amibake clean --by-tag. Then forget it: amibake clean --forget BUILD",
  });
}
