// Processes that outlive the test that started them. This process is made their
// reaper, so that what a test leaves behind becomes our child, whatever it did to
// its session, its process group or its environment.
import { readdir, readFile } from "node:fs/promises";
import koffi from "koffi";

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const REAP_AFTER_MS = 100;
const libc = koffi.load("libc.so.6");
const prctl = libc.func("int prctl(int option, ulong a, ulong b, ulong c, ulong d)");
const waitpid = libc.func("int waitpid(int pid, void *status, int options)");

/** From now on, orphans among our descendants become our children. They are reaped as any init would. */
export function adoptOrphans(): AsyncDisposable {
  const result: number = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (result !== 0) throw new Error("Cannot become the reaper of orphaned processes: prctl failed");
  let zombiesBefore = new Set<number>();
  let running = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  // Not at every moment: to look for children costs a tenth of a processor then.
  const look = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      running = running.then(reap);
    }, REAP_AFTER_MS);
  };
  const reap = async (): Promise<void> => {
    const zombies = await findZombies();
    // Those that Node started it asks for itself, at once: taken from it, their end would never be noticed.
    for (const pid of zombies) if (zombiesBefore.has(pid)) waitpid(pid, null, WNOHANG);
    zombiesBefore = new Set(zombies);
    if (zombies.length > 0) look();
  };
  process.on("SIGCHLD", look);
  return {
    async [Symbol.asyncDispose]() {
      process.off("SIGCHLD", look);
      await running;
      clearTimeout(timer);
    },
  };
}

/** Command lines by process id of our children that still run. */
export async function readRunningChildren(): Promise<Map<number, string>> {
  const running = new Map<number, string>();
  for (const [pid, isZombie] of await readChildren()) {
    if (isZombie) continue;
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    running.set(pid, commandLine.replaceAll("\0", " ").trim());
  }
  return running;
}

async function findZombies(): Promise<number[]> {
  return [...(await readChildren())].flatMap(([pid, isZombie]) => (isZombie ? [pid] : []));
}

/** Whether each of our children is a zombie, by process id. */
async function readChildren(): Promise<Map<number, boolean>> {
  const children = new Map<number, boolean>();
  for (const thread of await readdir("/proc/self/task")) {
    // A thread, or a child below, may be gone meanwhile.
    const list = await readFile(`/proc/self/task/${thread}/children`, "utf8").catch(() => "");
    for (const pid of list.split(" ").filter(Boolean).map(Number)) {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
      if (stat === undefined) continue;
      // The command's name may hold spaces and parentheses; the state comes after the last one.
      children.set(pid, stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z"));
    }
  }
  return children;
}
