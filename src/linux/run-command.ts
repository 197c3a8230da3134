// The only door to child processes. Commands are argument vectors; a shell runs
// only where the user wrote the shell line.
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay, setImmediate as immediate } from "node:timers/promises";
import { ToolError } from "../base/errors.ts";
import { shellLine } from "../base/shell-quote.ts";
import { type OutputPipes, openOutputPipes } from "./output-pipes.ts";

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
  /** Open files the command gets as descriptor 3, 4, … */
  readonly extraFds?: readonly number[];
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
  const { signal, input, onLine, killAfterMs = 2000, stdoutBytesMax = STDOUT_BYTES_MAX } = options;
  signal?.throwIfAborted();
  const pipes = options.hasNamedOutput ? await openOutputPipes(runCommand) : undefined;
  if (signal?.aborted) pipes?.destroy();
  signal?.throwIfAborted();
  const child = startChild(argv, options, pipes);
  const output = collectOutput(pipes ?? child, { stdoutBytesMax, onLine });
  if (input !== undefined) {
    // EPIPE: a command may end without reading all of its input; its exit code tells.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  }
  let killTimer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    killGroup(child, "SIGTERM");
    killTimer = setTimeout(() => killGroup(child, "SIGKILL"), killAfterMs);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const { exitCode, exitSignal } = await exited(child, argv, options.describeAs);
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

function startChild(argv: readonly string[], options: CommandOptions, pipes: OutputPipes | undefined): ChildProcess {
  const [program, ...rest] = argv;
  try {
    if (program === undefined) throw new TypeError("Cannot run an empty argument vector");
    return spawn(program, rest, {
      cwd: options.cwd,
      env: options.env ?? hostEnvironment(),
      stdio: [
        options.input === undefined ? "ignore" : "pipe",
        pipes?.stdoutFd ?? "pipe",
        pipes?.stderrFd ?? "pipe",
        ...(options.extraFds ?? []),
      ],
      // A process group of its own, so that ending it ends what it started.
      detached: true,
    });
  } finally {
    pipes?.closeDescriptors();
  }
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
    readonly stdio: ("ignore" | "pipe" | number)[];
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

function exited(child: ChildProcess, argv: readonly string[], describeAs: string | undefined) {
  return new Promise<{ exitCode: number; exitSignal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", (cause) => reject(startFailure(argv, cause, describeAs)));
    child.once("exit", (code, exitSignal) => {
      resolve({ exitCode: code ?? 128 + signalNumber(exitSignal), exitSignal });
    });
  });
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

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
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
  { stdout, stderr }: Pick<ChildProcess, "stdout" | "stderr">,
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

/** Cuts a byte stream into lines. Of a line overwritten by carriage returns, the last version is kept. */
function lineSplitter(onLine: (line: string) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  const emit = (line: string): void => {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    onLine(text.slice(text.lastIndexOf("\r") + 1));
  };
  return {
    push(chunk: Buffer): void {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) emit(line);
    },
    end(): void {
      rest += decoder.decode();
      if (rest !== "") emit(rest);
      rest = "";
    },
  };
}
