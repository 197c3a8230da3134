// A build's own mount, PID, IPC and host name namespace. The kernel removes every mount and
// process in it when the build ends, or when amibake dies, however it dies.
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { ToolError } from "../../base/errors.ts";
import { acquireTogether } from "../../base/together.ts";
import { type MountEntry, readMountTable } from "../mounts/mount-table.ts";
import {
  type CommandOptions,
  type CommandResult,
  commandFailure,
  type Daemon,
  runOnTerminal,
  runToExit,
  startDaemon,
} from "../run-command.ts";
import { withoutReboot } from "./capabilities.ts";
import { identifyProcess, type ProcessIdentity } from "./process-identity.ts";
import { openProcessLimit } from "./process-limit.ts";
import { endProcesses, killProcesses, type SandboxProcess } from "./sandbox-processes.ts";

/** A program that starts another one, and gives it something that stays with it and all that it starts. */
export interface Launcher {
  /** What stands in front of the command. */
  readonly argv: readonly string[];
  /** What the launcher reads from its descriptor 3. */
  readonly program: Uint8Array;
}

export interface SandboxCommandOptions extends CommandOptions {
  /** Runs on the host, before the command enters the sandbox: the launcher's own mounts stay behind. */
  readonly launcher?: Launcher | undefined;
}

/** The door for every command that has to see the image's mounts. */
export interface Sandbox extends AsyncDisposable {
  /** Runs a command of the host, with the host's root directory, where the image's mounts are visible. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a command of the image that has the terminal of this process until it ends. */
  runOnTerminal(argv: readonly string[], options?: Pick<CommandOptions, "env">): Promise<number>;
  /** As `run`, but any exit code is a result. */
  runToExit(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /**
   * As `runToExit`, for commands of the image: their number is limited, and they cannot restart the host.
   *
   * @throws {ToolError} ERR_PROCESS_LIMIT if they met the limit.
   */
  runInImage(argv: readonly string[], options?: SandboxCommandOptions): Promise<CommandResult>;
  /** Whether the number of the image's processes is limited: not every host can. */
  readonly hasProcessLimit: boolean;
  /** Where this process finds `path` (absolute, as the sandbox sees it). Use only asynchronous calls on it. */
  pathFromHere(path: string): string;
  mountTable(): Promise<MountEntry[]>;
  /**
   * Ends every process in the sandbox: SIGTERM, then SIGKILL after `graceMs`.
   *
   * @returns what was running.
   * @throws {ToolError} if a killed process does not go away, or if they had met the limit of processes.
   */
  endProcesses(graceMs: number): Promise<SandboxProcess[]>;
  /** The process that all of it ends with. */
  identify(): Promise<ProcessIdentity>;
  /** What to put before a command that is to run in it, for a person. */
  readonly enterCommand: readonly string[];
  /**
   * Lets it live on when this process ends, with everything in it, instead of releasing it. Nothing ends it then but
   * the end of its holder, see `endKeptSandbox`, and a restart of the host.
   *
   * @param announce writes down who the holder is, before it is too late.
   */
  keep(announce: (holder: ProcessIdentity) => Promise<void>): Promise<void>;
}

// Runs as PID 1 of the sandbox. SIGCHLD is ignored, and that is kept over exec:
// the kernel then reaps what is orphaned inside, so that a daemon that was
// stopped does not look alive (start-stop-daemon --retry waits for it). It is
// ignored by env, as dash does not do it: its `trap "" CHLD` changes nothing.
// At the end of its input, which only amibake holds, it ends, and all with it.
const INIT_SCRIPT = "echo ready; exec env --ignore-signal=CHLD cat >/dev/null";

const READY_DEADLINE_MS = 10_000;

/**
 * Opens a sandbox.
 *
 * @param keepVisible paths whose mounts must stay: of the template, the mountpoint, the working directory.
 * @param processesMax how many processes the image's commands may have. Without it, or with 0, there is no limit.
 * @throws {ToolError} if this host does not allow namespaces.
 */
export async function openSandbox(options: {
  readonly keepVisible: readonly string[];
  readonly processesMax?: number;
  readonly signal: AbortSignal;
}): Promise<Sandbox> {
  await using undo = new AsyncDisposableStack();
  const [limit, holder] = await acquireTogether(undo, [openProcessLimit(options.processesMax ?? 0), openHolder()]);
  const confined = await withoutReboot();

  // Not the holder's child but the holder: it has unshared its mounts itself, and its PID never changes hands.
  const enter = [
    "nsenter",
    `--mount=/proc/${holder.pid}/ns/mnt`,
    `--pid=/proc/${holder.pid}/ns/pid_for_children`,
    `--ipc=/proc/${holder.pid}/ns/ipc`,
    `--uts=/proc/${holder.pid}/ns/uts`,
    "--",
  ];
  const pathFromHere = (path: string): string => `/proc/${holder.pid}/root${path}`;
  const run = async (argv: readonly string[], commandOptions: CommandOptions = {}): Promise<CommandResult> => {
    const result = await runInside(argv, commandOptions);
    if (result.exitCode !== 0) throw commandFailure(argv, result, commandOptions.describeAs);
    return result;
  };
  const runInside = async (
    argv: readonly string[],
    { cwd, launcher, ...rest }: SandboxCommandOptions = {},
  ): Promise<CommandResult> => {
    // Entering a mount namespace leaves one at its root: the directory is gone to from inside.
    const entering = [...enter, ...(cwd === undefined ? [] : ["env", `--chdir=${cwd}`]), ...argv];
    holder.assertAlive();
    const result = await (launcher === undefined
      ? runToExit(entering, rest)
      : runToExit([...launcher.argv, ...entering], { ...rest, cwd: "/", extraFds: [launcher.program] }));
    if (result.exitCode !== 0) holder.assertAlive();
    return result;
  };
  const identify = async (): Promise<ProcessIdentity> => {
    const identity = await identifyProcess(holder.pid);
    if (identity !== undefined) return identity;
    holder.assertAlive();
    throw new TypeError("The holder of a sandbox is alive, but /proc does not show it");
  };
  await dropForeignMounts(run, options.keepVisible, options.signal);

  const owned = undo.move();
  return {
    run,
    runToExit: runInside,
    async runInImage(argv, commandOptions = {}) {
      const running = runInside(limit.apply([...confined, ...argv]), commandOptions);
      const result = await limit.watch(running, () => killProcesses(run));
      try {
        await limit.check();
      } catch (error) {
        // At once, so that the host is usable again.
        await endProcesses(pathFromHere("/proc"), run, 0);
        // What was refused until then is told with this.
        await limit.check().catch(() => {});
        throw error;
      }
      return result;
    },
    hasProcessLimit: limit.isInForce,
    pathFromHere,
    async mountTable() {
      holder.assertAlive();
      return readMountTable(`/proc/${holder.pid}/mountinfo`);
    },
    async endProcesses(graceMs) {
      holder.assertAlive();
      const ended = await endProcesses(pathFromHere("/proc"), run, (await limit.isMet()) ? 0 : graceMs);
      await limit.check();
      return ended;
    },
    async runOnTerminal(argv, options) {
      holder.assertAlive();
      return runOnTerminal([...enter, ...limit.apply([...confined, ...argv])], options);
    },
    enterCommand: enter,
    identify,
    async keep(announce) {
      // Kept or not, nothing of it may hold this process any longer.
      await using _rest = owned;
      await announce(await identify());
      await holder.keep(enter);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

interface Holder extends AsyncDisposable {
  readonly pid: number;
  /** @throws {ToolError} if it has ended, and with it all mounts and processes of the build. */
  assertAlive(): void;
  /** From here on the end of its scope is not its own. */
  keep(enter: readonly string[]): Promise<void>;
}

async function openHolder(): Promise<Holder> {
  await using undo = new AsyncDisposableStack();
  const daemon = await startHolder();
  undo.defer(() => endHolder(daemon));
  let hasEnded = false;
  void daemon.ended.then(() => {
    hasEnded = true;
  });
  await waitUntilReady(daemon);
  const owned = undo.move();
  return {
    pid: daemon.pid,
    assertAlive() {
      if (!hasEnded) return;
      throw new ToolError("ERR_SANDBOX_ENDED", "Cannot go on: the first process of the build's namespace was killed", {
        hint: "Something on this host killed it, such as a lack of memory: see dmesg",
      });
    },
    async keep(enter) {
      await keepHolder(daemon, enter);
      owned.move();
    },
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
      // A script that sets the host name must not rename the machine that bakes.
      "--uts",
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

/**
 * Gives the other end of the holder's input to a process that lives in the sandbox itself: the input then never ends
 * while the sandbox lives, and that process ends with the sandbox.
 */
async function keepHolder(holder: Daemon, enter: readonly string[]): Promise<void> {
  const { stdin, stdout, stderr } = holder.process;
  if (stdin === null) throw new TypeError("The holder of a sandbox has no input");
  await startDaemon([...enter, "sleep", "infinity"], {
    stdio: ["ignore", "ignore", "ignore", stdin],
    detached: true,
  });
  for (const stream of [stdin, stdout, stderr]) stream?.destroy();
  // This process may end before it.
  holder.process.unref();
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
