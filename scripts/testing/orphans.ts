// Processes that outlive the test that started them. This process is made their
// reaper, so that what a test leaves behind becomes our child, whatever it did to
// its session, its process group or its environment.
import { readdir, readFile } from "node:fs/promises";
import koffi from "koffi";

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const REAP_EVERY_MS = 100;
const libc = koffi.load("libc.so.6");
const prctl = libc.func("int prctl(int option, ulong a, ulong b, ulong c, ulong d)");
const waitpid = libc.func("int waitpid(int pid, void *status, int options)");

interface Child {
  readonly isZombie: boolean;
  readonly commandLine: string;
}

/** From now on, orphans among our descendants become our children. They are reaped as any init would. */
export function adoptOrphans(): AsyncDisposable {
  const result: number = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (result !== 0) throw new Error("Cannot become the reaper of orphaned processes: prctl failed");
  let zombiesBefore = new Set<number>();
  let running = Promise.resolve();
  const reap = async (): Promise<void> => {
    const zombies = [...(await readChildren())].flatMap(([pid, child]) => (child.isZombie ? [pid] : []));
    // Those that Node started it asks for itself, at once: taken from it, their end would never be noticed.
    for (const pid of zombies) if (zombiesBefore.has(pid)) waitpid(pid, null, WNOHANG);
    zombiesBefore = new Set(zombies);
  };
  const timer = setInterval(() => {
    running = running.then(reap);
  }, REAP_EVERY_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}

/** Command lines by process id of our children that still run. */
export async function readRunningChildren(): Promise<Map<number, string>> {
  const running = [...(await readChildren())].filter(([, child]) => !child.isZombie);
  return new Map(running.map(([pid, child]) => [pid, child.commandLine]));
}

async function readChildren(): Promise<Map<number, Child>> {
  const children = new Map<number, Child>();
  for (const thread of await readdir("/proc/self/task")) {
    // A thread, or a child below, may be gone meanwhile.
    const list = await readFile(`/proc/self/task/${thread}/children`, "utf8").catch(() => "");
    for (const pid of list.split(" ").filter(Boolean).map(Number)) {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
      if (stat === undefined) continue;
      const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      // The command's name may hold spaces and parentheses; the state comes after the last one.
      const isZombie = stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
      children.set(pid, { isZombie, commandLine: commandLine.replaceAll("\0", " ").trim() });
    }
  }
  return children;
}
