import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { systemCode, ToolError } from "../../base/errors.ts";
import { shortList } from "../../base/short-list.ts";

export interface SandboxProcess {
  /** In the sandbox's PID namespace. */
  readonly pid: number;
  /** Its command line, at most 80 characters. */
  readonly commandLine: string;
}

type Run = (argv: readonly string[]) => Promise<unknown>;

const KILLED_DEADLINE_MS = 10_000;

/**
 * Ends every process of a PID namespace but its first: SIGTERM, then SIGKILL after `graceMs`.
 *
 * @param procDirectory the namespace's own /proc.
 * @param run runs a command in the namespace.
 * @returns what was running.
 */
export async function endProcesses(procDirectory: string, run: Run, graceMs: number): Promise<SandboxProcess[]> {
  const found = await listProcesses(procDirectory);
  if (found.length === 0) return [];
  await signalAll(run, "TERM");
  let remaining = await waitUntilGone(procDirectory, graceMs);
  if (remaining.length > 0) {
    await signalAll(run, "KILL");
    remaining = await waitUntilGone(procDirectory, KILLED_DEADLINE_MS, () => signalAll(run, "KILL"));
  }
  if (remaining.length > 0) {
    throw new ToolError("ERR_PROCESSES_LEFT", `Cannot end the processes left in the image: ${namesOf(remaining)}`, {
      hint: "They hang in the kernel, most often on a device that does not answer: see dmesg",
    });
  }
  return found;
}

/** Kills every process of a PID namespace but its first, and does not wait until they are gone. */
export function killProcesses(run: Run): Promise<void> {
  return signalAll(run, "KILL");
}

async function waitUntilGone(
  procDirectory: string,
  deadlineMs: number,
  whileWaiting?: () => Promise<void>,
): Promise<SandboxProcess[]> {
  const start = performance.now();
  for (let pauseMs = 5; ; pauseMs = Math.min(100, pauseMs * 2)) {
    const alive = await listProcesses(procDirectory);
    if (alive.length === 0 || performance.now() - start > deadlineMs) return alive;
    await whileWaiting?.();
    await delay(pauseMs);
  }
}

/** All at once, as the kernel does it: one by one, those that are left could start new ones faster than they are told. */
async function signalAll(run: Run, signal: "TERM" | "KILL"): Promise<void> {
  // The shell's kill, inside: -1 is every process of the namespace but the first and the shell. None left is no failure.
  await run(["/bin/sh", "-c", `kill -${signal} -1 2>/dev/null; :`]);
}

async function listProcesses(procDirectory: string): Promise<SandboxProcess[]> {
  const names = await readdir(procDirectory);
  const pids = names.filter((name) => /^\d+$/.test(name) && name !== "1");
  const processes = await Promise.all(pids.map((pid) => describeProcess(procDirectory, pid)));
  return processes.filter((process) => process !== undefined);
}

async function describeProcess(procDirectory: string, pid: string): Promise<SandboxProcess | undefined> {
  try {
    const status = await readFile(`${procDirectory}/${pid}/stat`, "utf8");
    // "pid (name) state …": a zombie is dead, its parent only has not looked yet.
    const [, name = "?", state] = /^\d+ \((.*)\) (\S)/s.exec(status) ?? [];
    if (state === "Z" || state === "X") return undefined;
    const commandLine = (await readFile(`${procDirectory}/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
    return { pid: Number(pid), commandLine: (commandLine || name).slice(0, 80) };
  } catch (error) {
    // Gone between the listing and the look.
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ESRCH") return undefined;
    throw error;
  }
}

/** Names processes for people, shortly: a fork bomb leaves thousands. */
export function namesOf(processes: readonly SandboxProcess[]): string {
  return shortList(processes.map(({ commandLine }) => commandLine));
}
