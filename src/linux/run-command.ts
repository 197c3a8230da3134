// The only door to child processes. Commands are argument vectors; a shell runs
// only where the user wrote the shell line.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { type Readable, Writable } from "node:stream";
import { setTimeout as delay, setImmediate as immediate } from "node:timers/promises";
import { ToolError } from "../base/errors.ts";
import { shellLine } from "../base/shell-quote.ts";
import { lineSplitter } from "./line-splitter.ts";
import { type InputPipe, type OutputPipes, openInputPipe, openOutputPipes } from "./output-pipes.ts";
import { loadPosixSpawn, type PosixSpawn, type ProcessEnd, type SpawnedProcess } from "./posix-spawn.ts";

export interface CommandOptions {
  /** Aborting ends the whole process group: SIGTERM, then SIGKILL after `killAfterMs`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The whole environment of the command.
   *
   * @default PATH and LC_ALL=C, nothing else.
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** Written to standard input, which is then closed. Without it, input is /dev/null. */
  readonly input?: string | Uint8Array | undefined;
  /** What the command gets as descriptor 3, 4, …: an open file, or a pipe that these bytes come from. */
  readonly extraFds?: readonly (number | Uint8Array)[];
  /** Called for each line as it comes, without its line end. */
  readonly onLine?: ((stream: "stdout" | "stderr", line: string) => void) | undefined;
  /**
   * The command can open /dev/stdout and /dev/stderr by name, for which Node's own pipes are no good. It costs some
   * milliseconds: for commands of the user's.
   */
  readonly hasNamedOutput?: boolean;
  /** @default 2000 */
  readonly killAfterMs?: number;
  /**
   * Most bytes kept of standard output.
   *
   * @default 64 MiB. Going over it fails the command.
   */
  readonly stdoutBytesMax?: number;
  /** Kept out of error messages, for commands that carry secrets. */
  readonly describeAs?: string | undefined;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  /** The last lines of standard error, at most 4 KiB. */
  readonly stderrTail: string;
}

/** A command that could not be started, was killed, or ended with an exit code that is not 0. */
export class CommandError extends ToolError {
  override readonly name = "CommandError";
  readonly argv: readonly string[];
  /** Missing if the command never ran or was killed. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | null;
  readonly stderrTail: string;

  constructor(
    argv: readonly string[],
    detail: string,
    options: {
      exitCode?: number | undefined;
      signal?: NodeJS.Signals | null;
      stderrTail?: string;
      cause?: unknown;
      describeAs?: string | undefined;
      hint?: string;
    } = {},
  ) {
    super("ERR_COMMAND_FAILED", `Cannot run "${options.describeAs ?? shellLine(argv)}": ${detail}`, {
      cause: options.cause,
      hint: options.hint,
    });
    this.argv = argv;
    this.exitCode = options.exitCode;
    this.signal = options.signal ?? null;
    this.stderrTail = options.stderrTail ?? "";
  }
}

const STDERR_TAIL_BYTES = 4096;
const STDOUT_BYTES_MAX = 64 * 1024 ** 2;
// After the command itself has ended, its pipes may be held open by a daemon it
// left behind. This long is waited for output that is already under way.
const DRAIN_AFTER_EXIT_MS = 100;
const DRAIN_MS_MAX = 1000;

/** The environment of commands that run on the host on amibake's own behalf. */
export function hostEnvironment(): Record<string, string> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
}

/**
 * Runs a command to its end and gives back what it printed.
 *
 * The command is done when its process exits, not when its pipes close: a daemon
 * that it started may hold them for ever.
 *
 * @throws {CommandError} if it cannot start, is killed, or exits with another code than 0.
 * @throws the signal's reason if it was aborted.
 */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const result = await runToExit(argv, options);
  if (result.exitCode === 0) return result;
  throw commandFailure(argv, result, options.describeAs);
}

/** The error for a result that its caller does not accept. */
export function commandFailure(argv: readonly string[], result: CommandResult, describeAs?: string): CommandError {
  const tail = result.stderrTail.trim();
  const how = result.signal === null ? `exit code is ${result.exitCode}` : `killed by ${result.signal}`;
  return new CommandError(argv, tail === "" ? how : `${how}: ${tail}`, { ...result, describeAs });
}

/** As `runCommand`, but any exit code is a result: the caller judges it. A killed command has the code 128 + signal. */
export async function runToExit(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { signal, onLine, killAfterMs = 2000, stdoutBytesMax = STDOUT_BYTES_MAX } = options;
  signal?.throwIfAborted();
  const child = await startChild(argv, options);
  const output = collectOutput(child, { stdoutBytesMax, onLine });
  let killTimer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    killGroup(child, "SIGTERM");
    killTimer = setTimeout(() => killGroup(child, "SIGKILL"), killAfterMs);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const { exitCode, exitSignal } = await child.ended;
    await output.drained();
    signal?.throwIfAborted();
    if (output.overflowed()) {
      throw new CommandError(argv, `more than ${stdoutBytesMax} bytes of output`, { describeAs: options.describeAs });
    }
    return { exitCode, signal: exitSignal, stdout: output.stdout(), stderrTail: output.stderrTail() };
  } finally {
    clearTimeout(killTimer);
    // The command itself may have ended at once, and left something that ignores SIGTERM.
    if (killTimer !== undefined) killGroup(child, "SIGKILL");
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A command that runs, however it was started. */
interface Child {
  readonly pid: number | undefined;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** @throws {CommandError} if it could not start. */
  readonly ended: Promise<{ readonly exitCode: number; readonly exitSignal: NodeJS.Signals | null }>;
}

let posixSpawn: PosixSpawn | undefined;

/**
 * Makes every command after it several times cheaper to start, for 40 ms once: for a process that is about to run many.
 * May be called at any time, and again.
 */
export async function prepareCommands(): Promise<void> {
  posixSpawn = await loadPosixSpawn();
}

async function startChild(argv: readonly string[], options: CommandOptions): Promise<Child> {
  if (argv[0] === undefined) throw new TypeError("Cannot run an empty argument vector");
  const spawned = posixSpawn && (await spawnChild(posixSpawn, argv, options));
  if (spawned !== undefined) return spawned;
  const pipes = options.hasNamedOutput ? await openOutputPipes() : undefined;
  if (options.signal?.aborted) pipes?.destroy();
  options.signal?.throwIfAborted();
  return forkChild(argv, options, pipes);
}

/** @returns undefined for what has to be forked. */
async function spawnChild(
  spawnProcess: PosixSpawn,
  argv: readonly string[],
  options: CommandOptions,
): Promise<Child | undefined> {
  const output = await openOutputPipes();
  const inputs: { readonly pipe: InputPipe; readonly content: string | Uint8Array }[] = [];
  const openInput = async (content: string | Uint8Array): Promise<number> => {
    const pipe = await openInputPipe();
    inputs.push({ pipe, content });
    return pipe.fd;
  };
  let spawned: SpawnedProcess | undefined;
  try {
    const input = options.input === undefined ? "null" : await openInput(options.input);
    const descriptors: (number | "null")[] = [input, output.stdoutFd, output.stderrFd];
    for (const extra of options.extraFds ?? []) {
      descriptors.push(typeof extra === "number" ? extra : await openInput(extra));
    }
    options.signal?.throwIfAborted();
    spawned = spawnProcess(argv, { env: options.env ?? hostEnvironment(), cwd: options.cwd, descriptors });
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw startFailure(argv, cause as Error, options.describeAs);
  } finally {
    if (spawned === undefined) output.destroy();
    else output.closeDescriptors();
    for (const { pipe } of inputs) {
      closeSync(pipe.fd);
      if (spawned === undefined) pipe.stream.destroy();
    }
  }
  if (spawned === undefined) return undefined;
  for (const { pipe, content } of inputs) feed(pipe.stream, content);
  const ended = spawned.ended.then((end) => {
    // Whatever it did not read, nobody will.
    for (const { pipe } of inputs) pipe.stream.destroy();
    return exitOf(end);
  });
  return { pid: spawned.pid, stdout: output.stdout, stderr: output.stderr, ended };
}

function forkChild(argv: readonly string[], options: CommandOptions, pipes: OutputPipes | undefined): Child {
  const [program = "", ...rest] = argv;
  try {
    const extraFds = options.extraFds ?? [];
    const child = spawn(program, rest, {
      cwd: options.cwd,
      env: options.env ?? hostEnvironment(),
      stdio: [
        options.input === undefined ? "ignore" : "pipe",
        pipes?.stdoutFd ?? "pipe",
        pipes?.stderrFd ?? "pipe",
        ...extraFds.map((extra) => (typeof extra === "number" ? extra : "pipe")),
      ],
      // A process group of its own, so that ending it ends what it started.
      detached: true,
    });
    for (const [index, extra] of extraFds.entries()) {
      if (typeof extra !== "number") feed(child.stdio[3 + index], extra);
    }
    if (options.input !== undefined) feed(child.stdin, options.input);
    const { stdout, stderr } = pipes ?? child;
    const ended = exited(child, argv, options.describeAs);
    // Whoever started it has to wait a moment before it can look.
    ended.catch(() => {});
    return { pid: child.pid, stdout, stderr, ended };
  } finally {
    pipes?.closeDescriptors();
  }
}

function feed(stream: Readable | Writable | null | undefined, content: string | Uint8Array): void {
  if (!(stream instanceof Writable)) return;
  // EPIPE: a command may end without reading all of its input; its exit code tells.
  stream.on("error", () => {});
  stream.end(content);
}

// A shell that a person uses takes the terminal for itself, and where it runs in another PID namespace it cannot give
// it back: to it, our process group has no number. So a shell of the host stands in between. With job control (-m) it
// lends the terminal to the command and takes it back, also when that was killed; stty mends what it left behind.
const LEND_TERMINAL_SCRIPT = 'set -m; saved=$(stty -g); "$@"; code=$?; stty "$saved"; exit "$code"';

/**
 * Runs a command that has the terminal of this process until it ends. Nothing else may read or print meanwhile.
 *
 * @returns its exit code.
 */
export async function runOnTerminal(
  argv: readonly string[],
  options: Pick<CommandOptions, "env"> = {},
): Promise<number> {
  const lending = ["/bin/sh", "-c", LEND_TERMINAL_SCRIPT, "sh", ...argv];
  const child = spawn("/bin/sh", lending.slice(1), { stdio: "inherit", env: options.env ?? hostEnvironment() });
  return (await exited(child, lending, undefined)).exitCode;
}

export interface Daemon {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when the process has ended, however it ended. Never rejects. */
  readonly ended: Promise<void>;
}

/**
 * Starts a process that is not waited for. `stdio` is as for `child_process.spawn`.
 *
 * The caller owns it: unless `detached`, nothing here ends it.
 *
 * @throws {CommandError} if it cannot start.
 */
export async function startDaemon(
  argv: readonly string[],
  options: {
    readonly stdio: ("ignore" | "pipe" | number | Writable)[];
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    /** In a session of its own, and not kept track of: it lives on when amibake ends. */
    readonly detached?: boolean;
    /** In a session of its own, so that a signal to our process group (a closed terminal) does not reach it. */
    readonly ownSession?: boolean;
  },
): Promise<Daemon> {
  const [program, ...rest] = argv;
  if (program === undefined) throw new TypeError("Cannot run an empty argument vector");
  const child = spawn(program, rest, {
    stdio: options.stdio,
    cwd: options.cwd,
    env: options.env ?? hostEnvironment(),
    detached: options.detached === true || options.ownSession === true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(startFailure(argv, cause)));
  });
  if (options.detached) child.unref();
  return { pid: child.pid as number, process: child, ended };
}

function exited(child: ChildProcess, argv: readonly string[], describeAs: string | undefined): Child["ended"] {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(startFailure(argv, cause, describeAs)));
    child.once("exit", (exitCode, signal) => resolve(exitOf({ exitCode, signal })));
  });
}

function exitOf({ exitCode, signal }: ProcessEnd): Awaited<Child["ended"]> {
  return { exitCode: exitCode ?? 128 + signalNumber(signal), exitSignal: signal };
}

function startFailure(argv: readonly string[], cause: Error, describeAs?: string): CommandError {
  const isMissing = "code" in cause && cause.code === "ENOENT";
  const detail = isMissing ? `"${argv[0]}" is not installed` : cause.message;
  return new CommandError(argv, detail, {
    cause,
    describeAs,
    ...(isMissing ? { hint: 'Run "amibake doctor": it prints the command that installs what is missing' } : {}),
  });
}

function killGroup(child: Pick<Child, "pid">, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: all of it has ended.
  }
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (SIGNAL_NUMBERS[signal] ?? 0);
}

function collectOutput(
  { stdout, stderr }: Pick<Child, "stdout" | "stderr">,
  options: { stdoutBytesMax: number; onLine: CommandOptions["onLine"] },
) {
  const chunks: Buffer[] = [];
  let stdoutBytes = 0;
  let bytesSeen = 0;
  let stderrTail = "";
  const splitters = {
    stdout: lineSplitter((line) => options.onLine?.("stdout", line)),
    stderr: lineSplitter((line) => options.onLine?.("stderr", line)),
  };
  stdout?.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.byteLength;
    bytesSeen += chunk.byteLength;
    // With a reader of lines nothing is kept: an endless log must not fill memory.
    if (options.onLine !== undefined) splitters.stdout.push(chunk);
    else if (stdoutBytes <= options.stdoutBytesMax) chunks.push(chunk);
  });
  stderr?.on("data", (chunk: Buffer) => {
    bytesSeen += chunk.byteLength;
    stderrTail = (stderrTail + chunk.toString()).slice(-STDERR_TAIL_BYTES);
    splitters.stderr.push(chunk);
  });
  const closed = Promise.all(
    [stdout, stderr].map((stream) => new Promise<void>((resolve) => stream?.once("close", () => resolve()))),
  );
  return {
    stdout: () => Buffer.concat(chunks),
    stderrTail: () => stderrTail,
    overflowed: () => options.onLine === undefined && stdoutBytes > options.stdoutBytesMax,
    async drained(): Promise<void> {
      let isClosed = false;
      void closed.then(() => {
        isClosed = true;
      });
      // Quiet for the whole time, not merely slow: a busy event loop must not lose what is in the pipe.
      // A daemon that goes on printing gets so much time, and no more.
      const start = performance.now();
      const isOver = () => isClosed || performance.now() - start > DRAIN_MS_MAX;
      for (let seen = -1; !isOver() && seen !== bytesSeen; ) {
        seen = bytesSeen;
        const quiet = new AbortController();
        // Cut short, because a timer that is left alone keeps the whole process from ending.
        const timer = delay(DRAIN_AFTER_EXIT_MS, undefined, { signal: quiet.signal }).catch(() => {});
        await Promise.race([closed, timer]);
        quiet.abort();
        await immediate();
      }
      stdout?.destroy();
      stderr?.destroy();
      splitters.stdout.end();
      splitters.stderr.end();
    },
  };
}
