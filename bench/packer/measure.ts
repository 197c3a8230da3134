import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What one run of a command cost, with everything that it started. */
export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time of the command and of every descendant that was waited for. */
  readonly cpuSeconds: number;
  /** The most that its processes had resident together, looked at each `SAMPLE_EVERY_MS`. */
  readonly peakMemoryMib: number;
  /** What it printed. */
  readonly output: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const SAMPLE_EVERY_MS = 50;
const PAGE_KIB = 4;

// bash's `time` is wait4's count of the command and its children. Its own
// output goes to descriptor 3, apart from what the command prints.
const TIMED = 'TIMEFORMAT="%R %U %S"; { time "$@" 2>&4; } 2>&3';

/**
 * Runs a command to its end and measures it.
 *
 * @throws with the end of its output if its exit code is not 0.
 */
export async function measure({ argv, env, cwd }: Command): Promise<Measurement> {
  const child = spawn("/bin/bash", ["-c", TIMED, "bash", ...argv], {
    env,
    cwd,
    stdio: ["ignore", "pipe", "ignore", "pipe", "pipe"],
  });
  const collect = (descriptor: 1 | 3 | 4): (() => string) => {
    let text = "";
    child.stdio[descriptor]?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    return () => text;
  };
  const [output, times, errors] = [collect(1), collect(3), collect(4)];
  const memory = watchMemory(child.pid ?? 0);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const peakMemoryMib = await memory.stop();
  if (exitCode !== 0) {
    const tail = `${output()}\n${errors()}`.trim().slice(-4000);
    throw new Error(`Cannot measure "${argv.join(" ")}": exit code is ${exitCode}:\n${tail}`);
  }
  const [wall, user, system] = times().trim().split(/\s+/).map(Number);
  if (wall === undefined || user === undefined || system === undefined) throw new Error(`Cannot read "${times()}"`);
  return { wallSeconds: wall, cpuSeconds: user + system, peakMemoryMib, output: output() };
}

/** Watches the memory of all descendants of a shell, without the shell itself. */
function watchMemory(shellPid: number): { stop(): Promise<number> } {
  let peakKib = 0;
  let isStopped = false;
  const sample = async (): Promise<void> => {
    const sets = await Promise.all((await descendants(shellPid)).map(residentSet));
    const privateKib = sets.reduce((sum, set) => sum + set.privateKib, 0);
    // Files are counted once for the tree: nearly all of them are the one program that its processes run.
    const sharedKib = Math.max(0, ...sets.map((set) => set.sharedKib));
    peakKib = Math.max(peakKib, privateKib + sharedKib);
  };
  const watching = (async () => {
    while (!isStopped) {
      await sample();
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await watching;
      return peakKib / 1024;
    },
  };
}

async function descendants(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  const further = await Promise.all(children.map(descendants));
  return [...children, ...further.flat()];
}

// A process may end between any two looks at /proc: it then counts as nothing.
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(join("/proc", String(pid), "task", thread, "children"), "utf8").catch(() => "")),
  );
  return lists.flatMap((list) =>
    list
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
}

// statm, not smaps: it costs next to nothing, and the watching must not slow what is watched.
async function residentSet(pid: number): Promise<{ privateKib: number; sharedKib: number }> {
  const text = await readFile(`/proc/${pid}/statm`, "utf8").catch(() => "0 0 0");
  const [, residentPages = 0, filePages = 0] = text.split(" ").map(Number);
  return { privateKib: (residentPages - filePages) * PAGE_KIB, sharedKib: filePages * PAGE_KIB };
}
