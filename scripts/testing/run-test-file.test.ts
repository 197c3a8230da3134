import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { programPath, REPORTER } from "../../test/helpers/test-program.ts";
import { runTestFile } from "./run-test-file.ts";

const IMPORT = 'import { describe, test } from "node:test"; import assert from "node:assert/strict";\n';

const TSX = `--import=${import.meta.resolve("tsx")}`;
const reporter = programPath(REPORTER);

/** Runs a test file with the given text. */
async function run(text: string) {
  const directory = await mkdtemp(path.join(tmpdir(), "f-"));
  try {
    const file = path.join(directory, "x.test.mjs");
    await writeFile(file, text);
    return await runTestFile(file, {
      repository: directory,
      scratch: path.join(directory, "scratch"),
      environment: { PATH: process.env["PATH"] ?? "", ...(reporter.endsWith(".ts") && { NODE_OPTIONS: TSX }) },
      reporter,
      signal: new AbortController().signal,
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test("runTestFile() counts tests, not suites", async () => {
  const result = await run(
    `${IMPORT}describe("d", () => { test("a", () => {}); test("b", { skip: "why" }, () => {}); });`,
  );
  assert.deepEqual([result.passedCount, result.skippedCount, result.failures], [1, 1, []]);
});

test("runTestFile() names a failed test with the suites around it, and its error", async () => {
  const result = await run(
    `${IMPORT}describe("d", () => { test("ok", () => {}); test("a", () => assert.equal(1, 2)); });`,
  );
  assert.equal(result.passedCount, 1);
  assert.deepEqual(
    result.failures.map((failure) => failure.name),
    ["d > a"],
  );
  assert.match(result.failures[0]?.detail ?? "", /1 !== 2/);
});

for (const [what, text, detail] of [
  ["a warning of Node", 'test("a", () => { new Buffer(1); });', /\[DEP0005\] DeprecationWarning/],
  ["work that outlives its test", 'test("a", () => { setTimeout(() => { throw new Error("late"); }, 20); });', /late/],
  ["a file that cannot be loaded", 'import "./missing.mjs";', /ERR_MODULE_NOT_FOUND/],
  ["a file without tests", "", /^Has no test$/],
  [
    "a file left in the temporary directory",
    'test("a", async () => (await import("node:fs")).writeFileSync(process.env.TMPDIR + "/left", ""));',
    /left behind: .*\/left$/,
  ],
] as const) {
  test(`runTestFile() fails for ${what}`, async () => {
    const { failures } = await run(IMPORT + text);
    assert.equal(failures.length, 1, JSON.stringify(failures));
    assert.match(failures[0]?.detail ?? "", detail);
  });
}
