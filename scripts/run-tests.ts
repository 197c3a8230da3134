// Runs the checks and the test files and prints one line for each as it ends, the
// failures in full at the end, and "N passed, N failed" as the last line.
// Called by scripts/test, which sets up what this needs.
//
//   run-tests.ts [--serial] [--shared-machine] [FILTER...]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUNDLES_VARIABLE, bundleOf, REPORTER, TEST_PROGRAMS } from "../test/helpers/test-program.ts";
import { CHECKS, runCheck } from "./testing/checks.ts";
import { watchForLeaks } from "./testing/leaks.ts";
import { adoptOrphans } from "./testing/orphans.ts";
import { printResult, printSummary } from "./testing/report.ts";
import { runTestFile, type TestFileResult } from "./testing/run-test-file.ts";
import { findTestFiles } from "./testing/test-files.ts";

const repository = path.dirname(import.meta.dirname);
const PARALLEL = 2;

async function main(argv: readonly string[]): Promise<void> {
  const isSerial = argv.includes("--serial");
  const filters = argv.filter((argument) => !argument.startsWith("--"));
  const files = await findTestFiles(repository, filters);
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => abort.abort(new Error(`Stopped by ${signal}`)));
  }
  const scratch = await mkdtemp(path.join(tmpdir(), "ab-"));
  // In the repository: what is not bundled is found in its node_modules.
  const bundles = path.join(repository, "dist/test", String(process.pid));
  const environment = testEnvironment();
  const shared = { repository, environment, signal: abort.signal };
  const results: TestFileResult[] = [];
  const done = (result: TestFileResult): void => {
    results.push(result);
    printResult(result);
  };
  await using _orphans = adoptOrphans();
  const leaks = await watchForLeaks({ onlyBelow: argv.includes("--shared-machine") ? scratch : undefined });
  let fileCount = 0;
  const runFile = (file: string): Promise<TestFileResult> => {
    fileCount += 1;
    return runTestFile(file, {
      ...shared,
      environment: { ...environment, [BUNDLES_VARIABLE]: bundles },
      scratch: path.join(scratch, String(fileCount)),
      entry: bundleOf(file, bundles),
      reporter: bundleOf(REPORTER, bundles),
    });
  };
  const runAlone = async (file: string): Promise<void> => {
    const result = await runFile(file);
    const left = (await leaks.check()).map((detail) => ({ name: file, detail }));
    done({ ...result, failures: [...result.failures, ...left] });
  };
  const runAll = async (): Promise<void> => {
    const sources = [...files.together, ...files.alone, ...TEST_PROGRAMS];
    const bundler = ["node", "scripts/testing/bundle-tests.mjs", bundles, ...sources];
    const bundling = await runCheck({ name: "test files", argv: bundler }, shared);
    done(bundling);
    if (bundling.failures.length > 0) return;
    if (filters.length === 0) {
      // One after the other: the build is what later tests run.
      for (const check of CHECKS) done(await runCheck(check, shared));
    }
    await inParallel(files.together, isSerial ? 1 : PARALLEL, async (file) => {
      if (isSerial) await runAlone(file);
      else done(await runFile(file));
    });
    const left = await leaks.check();
    if (left.length > 0) {
      const name = "one of the files that ran together (--serial tells which)";
      done({
        file: name,
        elapsedMs: 0,
        passedCount: 0,
        skippedCount: 0,
        failures: left.map((detail) => ({ name, detail })),
      });
    }
    for (const file of files.alone) await runAlone(file);
  };
  try {
    await runAll();
  } finally {
    for (const directory of [scratch, bundles]) await rm(directory, { recursive: true, force: true });
  }
  process.exitCode = printSummary(results) ? 0 : 1;
}

/** Without the developer's AWS settings and stores: a test that needs them sets them. */
function testEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {
    // The command line sets it for itself; here it is the tests that load the SDK.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(AWS_|AMIBAKE_|NODE_OPTIONS|XDG_DATA_HOME|NODE_TEST_CONTEXT)/.test(name)) continue;
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

async function inParallel<T>(items: readonly T[], workerCount: number, run: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: workerCount }, work));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error && !(error instanceof TypeError) ? error.message : error);
  process.exitCode = 1;
}
