// A build's own mount, PID and IPC namespace. The kernel removes every mount and
// process in it when the build ends, or when amibake dies, however it dies.
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { systemCode, ToolError } from "../base/errors.ts";
import { type MountEntry, readMountTable } from "./mount-table.ts";
import {
  type CommandOptions,
  type CommandResult,
  commandFailure,
  type Daemon,
  runToExit,
  startDaemon,
} from "./run-command.ts";

export interface SandboxProcess {
  /** In the sandbox's PID namespace. */
  readonly pid: number;
  /** Its command line, at most 80 characters. */
  readonly commandLine: string;
}

/** The door for every command that has to see the image's mounts. */
export interface Sandbox extends AsyncDisposable {
  /** Runs a command of the host, with the host's root directory, where the image's mounts are visible. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** As `run`, but any exit code is a result. */
  runToExit(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Where this process finds `path` (absolute, as the sandbox sees it). Use only asynchronous calls on it. */
  pathFromHere(path: string): string;
  mountTable(): Promise<MountEntry[]>;
  /**
   * Ends every process in the sandbox: SIGTERM, then SIGKILL after `graceMs`.
   *
   * @returns what was running.
   * @throws {ToolError} if a killed process does not go away.
   */
  endProcesses(graceMs: number): Promise<SandboxProcess[]>;
}

// Runs as PID 1 of the sandbox. SIGCHLD is ignored, and that is kept over exec:
// the kernel then reaps what is orphaned inside, so that a daemon that was
// stopped does not look alive (start-stop-daemon --retry waits for it). It is
// ignored by env, as dash does not do it: its `trap "" CHLD` changes nothing.
// At the end of its input, which only amibake holds, it ends, and all with it.
const INIT_SCRIPT = "echo ready; exec env --ignore-signal=CHLD cat >/dev/null";

const READY_DEADLINE_MS = 10_000;
const KILLED_DEADLINE_MS = 10_000;

/**
 * Opens a sandbox.
 *
 * @param keepVisible paths whose mounts must stay: of the template, the mountpoint, the working directory.
 * @throws {ToolError} if this host does not allow namespaces.
 */
export async function openSandbox(options: {
  readonly keepVisible: readonly string[];
  readonly signal: AbortSignal;
}): Promise<Sandbox> {
  await using undo = new AsyncDisposableStack();
  const holder = await startHolder();
  undo.defer(() => endHolder(holder));
  await waitUntilReady(holder);

  // Not the holder's child but the holder: it has unshared its mounts itself, and its PID never changes hands.
  const enter = [
    "nsenter",
    `--mount=/proc/${holder.pid}/ns/mnt`,
    `--pid=/proc/${holder.pid}/ns/pid_for_children`,
    `--ipc=/proc/${holder.pid}/ns/ipc`,
    "--",
  ];
  const pathFromHere = (path: string): string => `/proc/${holder.pid}/root${path}`;
  const run = async (argv: readonly string[], commandOptions: CommandOptions = {}): Promise<CommandResult> => {
    const result = await runInside(argv, commandOptions);
    if (result.exitCode !== 0) throw commandFailure(argv, result, commandOptions.describeAs);
    return result;
  };
  const runInside = (argv: readonly string[], { cwd, ...rest }: CommandOptions = {}): Promise<CommandResult> => {
    // Entering a mount namespace leaves one at its root: the directory is gone to from inside.
    const inDirectory = cwd === undefined ? argv : ["env", `--chdir=${cwd}`, ...argv];
    return runToExit([...enter, ...inDirectory], rest);
  };
  await dropForeignMounts(run, options.keepVisible, options.signal);

  const owned = undo.move();
  return {
    run,
    runToExit: runInside,
    pathFromHere,
    mountTable: () => readMountTable(`/proc/${holder.pid}/mountinfo`),
    endProcesses: (graceMs) => endProcesses(pathFromHere("/proc"), run, graceMs),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

async function startHolder(): Promise<Daemon> {
  return startDaemon(
    // "slave": a private copy of the host's mounts would keep other people's volumes busy after they unmounted them.
    [
      "unshare",
      "--mount",
      "--propagation",
      "slave",
      "--pid",
      "--ipc",
      "--fork",
      "--kill-child=SIGKILL",
      "--mount-proc",
    ].concat(["--", "/bin/sh", "-c", INIT_SCRIPT]),
    { stdio: ["pipe", "pipe", "pipe"], ownSession: true },
  );
}

async function waitUntilReady(holder: Daemon): Promise<void> {
  let stderr = "";
  holder.process.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ready = new Promise<boolean>((resolve) => {
    holder.process.stdout?.once("data", () => resolve(true));
    void holder.ended.then(() => resolve(false));
    void delay(READY_DEADLINE_MS, undefined, { ref: false }).then(() => resolve(false));
  });
  if (await ready) return;
  throw new ToolError(
    "ERR_SANDBOX",
    `Cannot open a mount and PID namespace for the build: ${stderr.trim() || "no answer"}`,
    {
      fault: "host",
      hint: "Run amibake as root, in a container with CAP_SYS_ADMIN at least",
    },
  );
}

const END_DEADLINE_MS = 10_000;

async function endHolder(holder: Daemon): Promise<void> {
  // Its PID 1 ends with its input, the kernel ends all others before that end is
  // reported, and only then does the holder end: nothing is left when this returns.
  holder.process.stdin?.destroy();
  await Promise.race([holder.ended, delay(END_DEADLINE_MS, undefined, { ref: false })]);
  holder.process.kill("SIGKILL");
  await holder.ended;
}

/**
 * Lets go of the temporary disks that others have mounted.
 *
 * Where the host's mounts are private (no systemd), their owner's unmount does
 * not reach our copy: it would return 0 while the file system is still open
 * here, and its snapshot would miss what was not written yet.
 */
async function dropForeignMounts(
  run: Sandbox["run"],
  keepVisible: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const permanent = await fstabMountpoints();
  const foreign = (await readMountTable()).filter(
    ({ isShared, source, mountpoint }) =>
      !isShared &&
      source.startsWith("/dev/") &&
      mountpoint !== "/" &&
      !permanent.has(mountpoint) &&
      !keepVisible.some((path) => path === mountpoint || path.startsWith(`${mountpoint}/`)),
  );
  for (const { mountpoint } of foreign.reverse()) {
    // Lazy is right here, and only here: it is our copy of the mount, and it goes with everything on it.
    const result = await runForeignUnmount(run, mountpoint, signal);
    if (!result) throw new ToolError("ERR_SANDBOX", `Cannot let go of "${mountpoint}" in the build's mount namespace`);
  }
}

async function runForeignUnmount(run: Sandbox["run"], mountpoint: string, signal: AbortSignal): Promise<boolean> {
  try {
    await run(["umount", "--lazy", mountpoint], { signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    // Its owner unmounted it between the look and the call, or it went with the mount below it.
    const isGone = error instanceof ToolError && /not mounted|no mount point/.test(error.message);
    return isGone;
  }
}

async function fstabMountpoints(): Promise<Set<string>> {
  const text = await readFile("/etc/fstab", "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  return new Set(lines.map((line) => line.trim().split(/\s+/)[1] ?? ""));
}

async function endProcesses(procDirectory: string, run: Sandbox["run"], graceMs: number): Promise<SandboxProcess[]> {
  const found = await listProcesses(procDirectory);
  if (found.length === 0) return [];
  await signalProcesses(run, "TERM", found);
  let remaining = await waitUntilGone(procDirectory, graceMs);
  if (remaining.length > 0) {
    await signalProcesses(run, "KILL", remaining);
    remaining = await waitUntilGone(procDirectory, KILLED_DEADLINE_MS, (alive) => signalProcesses(run, "KILL", alive));
  }
  if (remaining.length > 0) {
    const names = remaining.map(({ pid, commandLine }) => `${pid} (${commandLine})`).join(", ");
    throw new ToolError("ERR_PROCESSES_LEFT", `Cannot end the processes left in the image: ${names}`, {
      hint: "They hang in the kernel, most often on a device that does not answer: see dmesg",
    });
  }
  return found;
}

async function waitUntilGone(
  procDirectory: string,
  deadlineMs: number,
  whileWaiting?: (alive: SandboxProcess[]) => Promise<void>,
): Promise<SandboxProcess[]> {
  const start = performance.now();
  for (let pauseMs = 5; ; pauseMs = Math.min(100, pauseMs * 2)) {
    const alive = await listProcesses(procDirectory);
    if (alive.length === 0 || performance.now() - start > deadlineMs) return alive;
    await whileWaiting?.(alive);
    await delay(pauseMs);
  }
}

async function signalProcesses(
  run: Sandbox["run"],
  signal: "TERM" | "KILL",
  processes: SandboxProcess[],
): Promise<void> {
  // The shell's kill, inside: PIDs are of the namespace. One that has gone meanwhile is no failure.
  const script = `for pid; do kill -${signal} "$pid" 2>/dev/null; done; :`;
  await run(["/bin/sh", "-c", script, "sh", ...processes.map(({ pid }) => String(pid))]);
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
