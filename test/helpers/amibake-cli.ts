import { spawn } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { lockFile } from "../../src/linux/files/file-lock.ts";

const ROOT = join(import.meta.dirname, "../..");
const ENTRY = join(ROOT, "dist/cli/amibake.js");

export interface CliResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Added to a small environment of the test's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** For Node itself, such as `--import` of a module that works inside amibake. */
  readonly nodeArguments?: readonly string[];
  /** In a process group of its own, which `kill` then ends as a whole. */
  readonly ownGroup?: boolean;
  /** Called with the process as soon as it runs, e.g. to send it a signal. If it fails, the process is killed. */
  readonly onStart?: (child: RunningCli) => void | Promise<void>;
}

export interface RunningCli {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Resolves once standard output holds the text. */
  printed(text: string): Promise<void>;
}

let built: Promise<void> | undefined;

/** The argument vector that starts the built command line, which is built first if a source is newer. */
export async function amibakeCommand(): Promise<string[]> {
  built ??= buildIfStale();
  await built;
  return [process.execPath, ENTRY];
}

/** Runs the built command line to its end, whatever its exit code. */
export async function runAmibake(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const [program = "", ...rest] = await amibakeCommand();
  const child = spawn(program, [...(options.nodeArguments ?? []), ...rest, ...args], {
    detached: options.ownGroup ?? false,
    cwd: options.cwd ?? ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/root", LC_ALL: "C", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  // EPIPE: a command may end without reading its input.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  const pid = child.pid ?? 0;
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(options.ownGroup ? -pid : pid, signal);
  };
  const running: RunningCli = {
    pid,
    kill,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text)) resolve();
        };
        child.stdout.on("data", look);
        child.once("close", () => reject(new Error(`It ended without printing "${text}":\n${stdout}\n${stderr}`)));
        look();
      }),
  };
  const started = (async () => options.onStart?.(running))().catch(async (error) => {
    kill("SIGKILL");
    await ended;
    throw error;
  });
  const [result] = await Promise.all([ended, started]);
  return result;
}

/** Once, even when many test files ask at the same time. */
async function buildIfStale(): Promise<void> {
  await using _lock = await lockFile(join(ROOT, "dist/.build.lock"));
  const builtMs = await stat(ENTRY).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (builtMs >= (await newestSourceMs())) return;
  const child = spawn(process.execPath, [join(ROOT, "scripts/build.mjs"), "--cli"], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { PATH: process.env["PATH"] ?? "" },
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (exitCode !== 0) throw new Error(`Cannot build the command line: exit code is ${exitCode}`);
}

async function newestSourceMs(): Promise<number> {
  const entries = await readdir(join(ROOT, "src"), { recursive: true, withFileTypes: true });
  const sources = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
  const files = [...sources, join(ROOT, "package.json"), join(ROOT, "scripts/build.mjs")];
  const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
  return Math.max(...times);
}
