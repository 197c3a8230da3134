import { setTimeout as delay } from "node:timers/promises";
import { type HostState, hostStateChanges, readHostState } from "../../test/helpers/host-state.ts";
import { readRunningChildren } from "./orphans.ts";

// A daemon ends by itself a moment after its last client has gone.
const SETTLE_MS = 5000;
const POLL_MS = 100;

/** Compares the machine with what it was when nothing had run yet. Each leak is told once. */
export interface LeakWatch {
  /** Only while no test runs. Ends processes that were left, so that they do not disturb what comes next. */
  check(): Promise<string[]>;
}

/**
 * With `onlyBelow`, loop devices of files elsewhere and device nodes do not count: other people use this machine.
 */
export async function watchForLeaks(options: { onlyBelow: string | undefined; settleMs?: number }): Promise<LeakWatch> {
  const isOurs = (line: string): boolean =>
    options.onlyBelow === undefined || !/^(loop|node|link|mount) /.test(line) || line.includes(options.onlyBelow);
  const readOurs = async (): Promise<HostState> => new Set([...(await readHostState())].filter(isOurs));
  let before = await readOurs();
  // esbuild's service, which tsx uses, is a child that stays.
  const own = new Set((await readRunningChildren()).keys());
  return {
    async check() {
      const deadline = performance.now() + (options.settleMs ?? SETTLE_MS);
      for (;;) {
        const now = await readOurs();
        const orphans = [...(await readRunningChildren())].filter(([pid]) => !own.has(pid));
        const changes = hostStateChanges(before, now);
        if (changes.length === 0 && orphans.length === 0) return [];
        if (performance.now() < deadline) {
          await delay(POLL_MS);
          continue;
        }
        before = now;
        for (const [pid] of orphans) endProcess(pid);
        return [...changes, ...orphans.map(([pid, command]) => `left behind: process ${pid}: ${command}`)];
      }
    },
  };
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ESRCH: it ended between the look and the signal.
  }
}
