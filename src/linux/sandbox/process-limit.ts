// How many processes the commands of an image may have at once. A fork bomb in a script then hits this limit, and not
// the host's. It is a pids cgroup of the build's own, of version 1 or 2; on a host that has none there is no limit.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { ToolError } from "../../base/errors.ts";
import { countOf } from "../../base/units.ts";
import { type MountEntry, readMountTable } from "../mounts/mount-table.ts";
import { startDaemon } from "../run-command.ts";

export interface ProcessLimit extends AsyncDisposable {
  /** Turns a command into one that counts, with all that it starts. */
  apply(argv: readonly string[]): readonly string[];
  /** False where none was asked for, and where this host gives none. */
  readonly isInForce: boolean;
  /** Whether it was met since `check` last said so. */
  isMet(): Promise<boolean>;
  /** @throws {ToolError} if it was met since this was last asked. */
  check(): Promise<void>;
  /**
   * Waits for work.
   *
   * @param end called as soon as the limit is met: thousands of processes that ask for more leave no time for others.
   */
  watch<T>(work: Promise<T>, end: () => Promise<void>): Promise<T>;
}

// It makes the cgroup, and removes it at the end of its input: also when amibake is killed. Until then it is in it
// itself, so that one that is empty is a dead build's, and the next build removes it: this one may be killed too, or
// the sandbox's processes may take long to go. Another build that starts may so remove ours before we are in it: then it is
// made anew. One that nobody removed cannot be made twice, which ends the tries. Where amibake is killed before it has read the answer, that must not end it.
const KEEPER_SCRIPT = `
trap "" PIPE
rmdir "\${1%/*}"/amibake-* 2>/dev/null
tries=0
ready=
while [ -z "$ready" ] && [ "$tries" -lt 50 ] && mkdir "$1"; do
  if echo "$2" >"$1/pids.max" && echo 0 >"$1/cgroup.procs"; then ready=yes; fi
  tries=$((tries + 1))
done
if [ -z "$ready" ]; then rmdir "$1"; exit 1; fi
echo ready
cat >/dev/null
echo 0 >"$3/cgroup.procs"
tries=0
until rmdir "$1" 2>/dev/null || [ ! -d "$1" ] || [ "$tries" -gt 200 ]; do tries=$((tries + 1)); sleep 0.05; done`;
/** The shell and its cat. */
const KEEPER_PROCESSES = 2;

// 0 is who writes. If it cannot join, the command runs all the same.
const JOIN_SCRIPT = 'echo 0 >"$0"; exec "$@"';

const WATCH_MS = 250;

/**
 * Opens a limit. Its end is the end of its scope, when no process is left in it.
 *
 * @param processesMax processes and threads; 0 for no limit.
 */
export async function openProcessLimit(processesMax: number): Promise<ProcessLimit> {
  const place = processesMax === 0 ? undefined : await findPidsCgroup();
  if (place === undefined) return NO_LIMIT;
  const cgroup = posix.join(place.parent, `amibake-${randomBytes(6).toString("hex")}`);
  const keeper = await makeCgroup(cgroup, { processesMax, home: place.home });
  if (keeper === undefined) return NO_LIMIT;
  let seen = 0;
  const isMet = async () => (await refusedCount(cgroup)) > seen;
  return {
    isInForce: true,
    apply: (argv) => ["/bin/sh", "-c", JOIN_SCRIPT, `${cgroup}/cgroup.procs`, ...argv],
    isMet,
    async check() {
      if (!(await isMet())) return;
      seen = await refusedCount(cgroup);
      throw new ToolError(
        "ERR_PROCESS_LIMIT",
        `Cannot go on: commands in the image were refused more than ${countOf(processesMax, "process", "processes")} at once`,
        { hint: 'Look for a script that starts too many, or raise "max_processes"' },
      );
    },
    async watch(work, end) {
      const finished = new AbortController();
      const watching = endWhenMet(isMet, end, finished.signal);
      try {
        return await work;
      } finally {
        finished.abort();
        await watching;
      }
    },
    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  };
}

const NO_LIMIT: ProcessLimit = {
  isInForce: false,
  apply: (argv) => argv,
  isMet: async () => false,
  check: async () => {},
  watch: (work) => work,
  [Symbol.asyncDispose]: async () => {},
};

async function endWhenMet(isMet: () => Promise<boolean>, end: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (await isMet()) {
      // What fails now is tried again: the host may be short of processes too.
      await end().catch(() => {});
    }
    await delay(WATCH_MS, undefined, { signal }).catch(() => {});
  }
}

/** @returns undefined where no cgroup can be made, such as in most containers. */
async function makeCgroup(
  cgroup: string,
  { processesMax, home }: { processesMax: number; home: string },
): Promise<AsyncDisposable | undefined> {
  await using undo = new AsyncDisposableStack();
  const argv = ["/bin/sh", "-c", KEEPER_SCRIPT, "sh", cgroup, String(processesMax + KEEPER_PROCESSES), home];
  const keeper = await startDaemon(argv, {
    stdio: ["pipe", "pipe", "ignore"],
    ownSession: true,
  });
  undo.defer(async () => {
    keeper.process.stdin?.destroy();
    await keeper.ended;
  });
  const isReady = await new Promise<boolean>((resolve) => {
    keeper.process.stdout?.once("data", () => resolve(true));
    keeper.process.stdout?.once("end", () => resolve(false));
  });
  if (!isReady) return undefined;
  const owned = undo.move();
  return { [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** How often a process or thread was refused: "max 12" in pids.events, of both versions. */
async function refusedCount(cgroup: string): Promise<number> {
  const text = await readFile(`${cgroup}/pids.events`, "utf8").catch(() => "");
  return Number(/^max (\d+)$/m.exec(text)?.[1] ?? 0);
}

interface CgroupPlace {
  /** Where ours is made. */
  readonly parent: string;
  /** The cgroup of this process. */
  readonly home: string;
}

async function findPidsCgroup(): Promise<CgroupPlace | undefined> {
  const own = await readFile("/proc/self/cgroup", "utf8").catch(() => "");
  const mounts = await readMountTable();
  const first = findPidsCgroupV1(own, mounts);
  if (first !== undefined) return { parent: first, home: first };
  const directories = pidsCgroupsV2(own, mounts);
  for (const parent of directories) {
    // Controllers that the cgroups in it have. Ours among them would be refused: a cgroup of version 2 has either
    // processes or cgroups in it. So this is its slice, or the root.
    const controllers = await readFile(`${parent}/cgroup.subtree_control`, "utf8").catch(() => "");
    if (controllers.trim().split(" ").includes("pids")) return { parent, home: directories[0] ?? parent };
  }
  return undefined;
}

/**
 * The directory of this process's own pids cgroup of version 1: limits of the host then go on to hold.
 *
 * @param own the text of /proc/self/cgroup.
 */
export function findPidsCgroupV1(own: string, mounts: readonly MountEntry[]): string | undefined {
  const path = /^\d+:(?:[^:\n]*,)?pids(?:,[^:\n]*)?:(.*)$/m.exec(own)?.[1];
  const mount = mounts.find(
    ({ fileSystemType, superOptions }) => fileSystemType === "cgroup" && superOptions.includes("pids"),
  );
  return path === undefined || mount === undefined ? undefined : directoryOf(path, mount);
}

/** The directories of this process's own cgroup of version 2 and of those it is in, innermost first. */
export function pidsCgroupsV2(own: string, mounts: readonly MountEntry[]): string[] {
  const path = /^0::(.*)$/m.exec(own)?.[1];
  const mount = mounts.find(({ fileSystemType }) => fileSystemType === "cgroup2");
  const directory = path === undefined || mount === undefined ? undefined : directoryOf(path, mount);
  if (mount === undefined || directory === undefined) return [];
  const names = posix.relative(mount.mountpoint, directory).split("/").filter(Boolean);
  return [...names.keys(), names.length]
    .toReversed()
    .map((count) => posix.join(mount.mountpoint, ...names.slice(0, count)));
}

/** Where a cgroup is below a mount of its hierarchy, of which a container may see only a part. */
function directoryOf(path: string, { root, mountpoint }: MountEntry): string | undefined {
  const below = posix.relative(root, path);
  return below === ".." || below.startsWith("../") ? undefined : posix.join(mountpoint, below);
}
