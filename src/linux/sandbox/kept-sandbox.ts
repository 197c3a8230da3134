// A sandbox that was kept when its amibake ended, and is known by its holder only.
import { readdir, readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../../base/errors.ts";
import { shortList } from "../../base/short-list.ts";
import { commandLineOf } from "../devices/device-holders.ts";
import { identifyProcess, type ProcessIdentity, parentOf } from "./process-identity.ts";

/** Whether it is there. The numbers mean nothing after a restart of the host. */
export async function isSandboxKept(holder: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(holder.pid))?.startTime === holder.startTime;
}

const ENDED_DEADLINE_MS = 30_000;
// A process that is about to enter the PID namespace has entered the mount namespace already.
const ENTERED_DEADLINE_MS = 2000;
const LOOK_MS = 20;

/**
 * Ends a kept sandbox with every process and mount in it; what the mounts had not written is written then.
 *
 * @throws {ToolError} before anything is ended, if a process that is none of the sandbox's holds the mounts; and if
 * something in it does not end.
 */
export async function endKeptSandbox(holder: ProcessIdentity): Promise<void> {
  const mounts = await namespaceOf(holder.pid, "mnt");
  const pids = await namespaceOf(holder.pid, "pid_for_children");
  if (mounts === undefined || pids === undefined || !(await isSandboxKept(holder))) return;
  await refuseStrangers(holder, { mounts, pids });
  process.kill(holder.pid, "SIGKILL");
  // Its PID 1 is killed with it, and the kernel kills the others: the last of them takes the mounts along.
  const left = await waitUntilEmpty(async () => (await readProcesses()).filter((one) => one.mounts === mounts), {
    deadlineMs: ENDED_DEADLINE_MS,
  });
  if (left.length === 0) return;
  throw new ToolError("ERR_PROCESSES_LEFT", `Cannot end the processes of the kept image: ${await describe(left)}`, {
    hint: "They hang in the kernel, most often on a device that does not answer: see dmesg",
  });
}

/** Who is in the mount namespace only would live on, and keep everything mounted. It is not ours to end. */
async function refuseStrangers(holder: ProcessIdentity, sandbox: { mounts: string; pids: string }): Promise<void> {
  const find = async () => {
    const processes = await readProcesses();
    const inside = new Set(processes.filter(({ pids }) => pids === sandbox.pids).map(({ pid }) => pid));
    // Also in PID namespaces that were made in there.
    const isInside = ({ pid, parent }: ProcessEntry): boolean => inside.has(pid) || inside.has(parent);
    for (let count = -1; count < inside.size; ) {
      count = inside.size;
      for (const { pid } of processes.filter(isInside)) inside.add(pid);
    }
    // nsenter waits outside for what it has started inside.
    const entering = new Set(processes.filter(({ pid }) => inside.has(pid)).map(({ parent }) => parent));
    const isStranger = ({ pid, mounts }: ProcessEntry) =>
      mounts === sandbox.mounts && pid !== holder.pid && !inside.has(pid) && !entering.has(pid);
    return processes.filter(isStranger);
  };
  const strangers = await waitUntilEmpty(find, { deadlineMs: ENTERED_DEADLINE_MS });
  if (strangers.length === 0) return;
  const message = `Cannot unmount the kept image: ${await describe(strangers)} holds it`;
  const kill = `kill ${strangers.map(({ pid }) => pid).join(" ")}`;
  throw new ToolError("ERR_PROCESSES_LEFT", message, { hint: `End it, then run amibake clean again: ${kill}` });
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Its namespaces, as the kernel names them. */
  readonly mounts: string;
  readonly pids: string;
}

/** Those that have not ended. */
async function readProcesses(): Promise<ProcessEntry[]> {
  const numbers = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(
    numbers.map(async (pid) => {
      const [mounts, pids, parent] = await Promise.all([
        namespaceOf(pid, "mnt"),
        namespaceOf(pid, "pid"),
        parentOf(pid),
      ]);
      return mounts === undefined || pids === undefined || parent === undefined
        ? undefined
        : { pid, parent, mounts, pids };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

async function waitUntilEmpty(
  find: () => Promise<ProcessEntry[]>,
  { deadlineMs }: { deadlineMs: number },
): Promise<ProcessEntry[]> {
  const start = performance.now();
  for (;;) {
    const found = await find();
    if (found.length === 0 || performance.now() - start > deadlineMs) return found;
    await delay(LOOK_MS);
  }
}

async function describe(processes: readonly ProcessEntry[]): Promise<string> {
  const names = await Promise.all(processes.map(async ({ pid }) => `process ${pid} (${await commandLineOf(pid)})`));
  return shortList(names);
}

/** @returns undefined for a process that has ended. */
async function namespaceOf(pid: number, kind: "mnt" | "pid" | "pid_for_children"): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/${kind}`).catch(() => undefined);
}
