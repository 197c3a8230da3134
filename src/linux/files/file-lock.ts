import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, systemCode, ToolError } from "../../base/errors.ts";
import { commandFailure, runToExit } from "../run-command.ts";
import { makeDirectories } from "./make-directories.ts";

/**
 * An exclusive flock(2). The kernel gives it back when this process dies, however it dies.
 *
 * Disposing of it releases it; a second time does nothing.
 */
export interface FileLock extends AsyncDisposable {
  readonly path: string;
  /** A command that inherits this descriptor holds the lock too, until it ends. */
  readonly fd: number;
}

export interface FileLockOptions {
  /** Ends the wait. A lock that is held already stays held. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, if somebody else holds the lock and it has to be waited for. */
  readonly onWait?: (() => void) | undefined;
}

/** What flock(1) is told to exit with when somebody else holds the lock. */
const CONFLICT_EXIT_CODE = 75;

/**
 * Takes the lock if nobody holds it. The file and its directory are made if they are missing.
 *
 * @returns undefined if it is held, by another process or by this one.
 */
export async function tryLockFile(path: string): Promise<FileLock | undefined> {
  for (;;) {
    const file = await openLockFile(path);
    const outcome = await lockOrClose(file, path, "--nonblock");
    if (outcome === "held") return undefined;
    if (outcome === "locked") return owned(file, path);
  }
}

/**
 * Takes the lock, waiting for as long as it is held. The file and its directory are made if they are missing.
 *
 * Waiters sleep in the kernel, so the next one has the lock as soon as it is free.
 *
 * @throws the signal's reason if it is aborted while waiting.
 */
export async function lockFile(path: string, options: FileLockOptions = {}): Promise<FileLock> {
  options.signal?.throwIfAborted();
  const free = await tryLockFile(path);
  if (free !== undefined) return free;
  options.onWait?.();
  for (;;) {
    const file = await openLockFile(path);
    const outcome = await lockOrClose(file, path, "--wait", options.signal);
    if (outcome === "locked") return owned(file, path);
  }
}

async function openLockFile(path: string): Promise<FileHandle> {
  try {
    await makeDirectories(dirname(path));
    // Not truncated: some lock files have content that belongs to their holder.
    return await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  } catch (cause) {
    throw lockError(path, cause);
  }
}

async function lockOrClose(
  file: FileHandle,
  path: string,
  how: "--nonblock" | "--wait",
  signal?: AbortSignal,
): Promise<"locked" | "held" | "replaced"> {
  let outcome: "locked" | "held" | "replaced" | undefined;
  try {
    if (!(await flockDescriptor(file, path, how, signal))) outcome = "held";
    // Its directory may have been removed between open and lock: a lock on a nameless file excludes nobody.
    else outcome = (await isSameFile(file, path)) ? "locked" : "replaced";
    return outcome;
  } finally {
    if (outcome !== "locked") await file.close();
  }
}

/**
 * flock(1) locks the open file that it inherits, which is ours: the lock lives as long as our descriptor.
 * A process of its own can be killed while it waits, which a thread blocked in flock(2) cannot.
 */
async function flockDescriptor(file: FileHandle, path: string, how: string, signal?: AbortSignal): Promise<boolean> {
  const flock = ["flock", "--exclusive"];
  // Without the parent-death signal, a waiter would outlive a killed amibake and then hold the lock for a moment.
  const argv =
    how === "--wait"
      ? ["setpriv", "--pdeathsig", "KILL", "--", ...flock, "3"]
      : [...flock, "--nonblock", "--conflict-exit-code", String(CONFLICT_EXIT_CODE), "3"];
  const result = await runToExit(argv, { extraFds: [file.fd], signal });
  if (result.exitCode === 0) return true;
  if (result.exitCode === CONFLICT_EXIT_CODE) return false;
  throw lockError(path, commandFailure(argv, result));
}

async function isSameFile(file: FileHandle, path: string): Promise<boolean> {
  try {
    const [opened, named] = await Promise.all([file.stat(), stat(path)]);
    return opened.ino === named.ino && opened.dev === named.dev;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

function owned(file: FileHandle, path: string): FileLock {
  let isReleased = false;
  return {
    path,
    fd: file.fd,
    async [Symbol.asyncDispose]() {
      if (isReleased) return;
      isReleased = true;
      await file.close();
    },
  };
}

function lockError(path: string, cause: unknown): ToolError {
  return new ToolError("ERR_LOCK_FAILED", `Cannot lock "${path}": ${messageOf(cause)}`, { cause, fault: "host" });
}
