import { mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runToExit } from "../../src/linux/run-command.ts";
import type { TestLine } from "./event-lines.ts";

export interface TestFileResult {
  readonly file: string;
  readonly elapsedMs: number;
  readonly passedCount: number;
  readonly skippedCount: number;
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** A test, or the file or the check as a whole. */
  readonly name: string;
  readonly detail: string;
}

// The slowest tests boot a virtual machine without hardware acceleration.
const FILE_TIMEOUT_MS = 6 * 60_000;
const OUTPUT_LINES_MAX = 200;
const NODE_WARNING = /^\(node:\d+\) .*Warning/;

/**
 * Runs one test file in a process of its own. Its temporary directory is its own too, and must be
 * empty when it ends.
 */
export async function runTestFile(
  file: string,
  options: {
    repository: string;
    scratch: string;
    environment: Record<string, string>;
    signal: AbortSignal;
    /** What Node runs in its place: its bundle. */
    entry?: string;
    /** The reporter that writes event lines, as Node can run it. */
    reporter: string;
  },
): Promise<TestFileResult> {
  const startedAt = performance.now();
  // Short names: a unix socket's path has at most 107 bytes.
  const temporary = path.join(options.scratch, "t");
  await mkdir(temporary, { recursive: true });
  // tsx keeps what it has compiled in the temporary directory: one for all.
  const tsxCache = `tsx-${process.getuid?.()}`;
  await symlink(path.join(tmpdir(), tsxCache), path.join(temporary, tsxCache));
  const eventFile = path.join(options.scratch, "events");
  const argv = [
    process.execPath,
    // As the command does it for itself: src/cli/start/v8-flags.ts says why.
    "--semi-space-growth-factor=1",
    "--enable-source-maps",
    `--test-reporter=${options.reporter}`,
    `--test-reporter-destination=${eventFile}`,
    options.entry ?? file,
  ];
  const timeout = AbortSignal.timeout(FILE_TIMEOUT_MS);
  const output: string[] = [];
  const failures: Failure[] = [];
  let exitCode = 1;
  try {
    const result = await runToExit(argv, {
      cwd: options.repository,
      env: { ...options.environment, TMPDIR: temporary, XDG_DATA_HOME: path.join(temporary, "data") },
      signal: AbortSignal.any([options.signal, timeout]),
      onLine: (_stream, line) => {
        output.push(line);
      },
    });
    exitCode = result.exitCode;
  } catch (error) {
    if (!timeout.aborted) throw error;
    failures.push({ name: file, detail: `Did not end within ${FILE_TIMEOUT_MS / 1000} s\n${tail(output)}` });
  }
  const lines = await readTestLines(eventFile);
  failures.push(...judge(lines, { file, output, exitCode, timedOut: timeout.aborted }));
  for (const name of await readdir(temporary)) {
    if (name === tsxCache) continue;
    failures.push({ name: file, detail: `left behind: ${path.join(temporary, name)}` });
  }
  try {
    await rm(options.scratch, { recursive: true, force: true });
  } catch (error) {
    // A mount that was left: the other files are run all the same.
    failures.push({ name: file, detail: `left behind: ${error instanceof Error ? error.message : error}` });
  }
  return {
    file,
    elapsedMs: performance.now() - startedAt,
    passedCount: lines.filter((line) => line.type === "passed").length,
    skippedCount: lines.filter((line) => line.type === "skipped").length,
    failures,
  };
}

function judge(
  lines: readonly TestLine[],
  run: { file: string; output: readonly string[]; exitCode: number; timedOut: boolean },
): Failure[] {
  const failures: Failure[] = lines.flatMap((line) =>
    line.type === "failed" ? [{ name: line.name, detail: line.detail }] : [],
  );
  // node:test reports a promise or a timer that outlives its test only as a remark.
  for (const line of lines) {
    if (line.type === "diagnostic" && /^(Warning|Error):/.test(line.detail)) {
      failures.push({ name: run.file, detail: line.detail });
    }
  }
  for (const warning of run.output.filter((line) => NODE_WARNING.test(line))) {
    failures.push({ name: run.file, detail: warning });
  }
  if (failures.length > 0 || run.timedOut) return failures;
  if (run.exitCode !== 0) return [{ name: run.file, detail: `Exit code is ${run.exitCode}\n${tail(run.output)}` }];
  if (!lines.some((line) => line.type !== "diagnostic")) return [{ name: run.file, detail: "Has no test" }];
  return [];
}

async function readTestLines(eventFile: string): Promise<TestLine[]> {
  // Missing if the file could not even be loaded.
  const text = await readFile(eventFile, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): TestLine => JSON.parse(line));
}

function tail(output: readonly string[]): string {
  return output.slice(-OUTPUT_LINES_MAX).join("\n");
}
