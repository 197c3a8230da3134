import assert from "node:assert/strict";
import { test } from "node:test";
import { ARTIFACT, at, FAILURE, RecordedStream, SUCCESS } from "../../../test/helpers/sample-build-events.ts";
import type { NamedBuildEvent } from "../../build/build-events.ts";
import { createCleaner } from "./clean-events.ts";
import { createColours } from "./colours.ts";
import { PlainRenderer } from "./plain-renderer.ts";

function render(events: readonly NamedBuildEvent[], options: { isColoured?: boolean; hasTimestamps?: boolean } = {}) {
  const stdout = new RecordedStream();
  const stderr = new RecordedStream();
  const { isColoured = false, hasTimestamps = false } = options;
  const renderer = new PlainRenderer({ stdout, stderr, colours: createColours(isColoured), hasTimestamps });
  const cleaner = createCleaner(["hunter2"]);
  for (const event of events) renderer.event(cleaner.event(event));
  return { renderer, cleaner, stdout, stderr };
}

test("a build that succeeds: each step with its time, what it made, what scripts print", () => {
  const { stdout } = render(SUCCESS);
  assert.equal(
    stdout.text,
    `==> debian: Creating the volume
    debian: Made volume vol-0aa in us-east-1
    debian: done in 1.2 s
==> debian: Running the shell provisioner
    debian: Setting up nginx, done
    debian:
==> debian: Warning: The image has no network
    debian: hint: Set copy_files
    debian: Running the shell provisioner: done in 1.0 s
==> debian: Creating the snapshot
    debian: snap-0aa, 0 %
    debian: Try 1 failed, trying again: DescribeSnapshots: RequestLimitExceeded
    debian: snap-0aa, 71 %
    debian: done in 18.0 s
==> debian: Finished in 20.2 s
`,
  );
});

test("a build that fails: the step, the reason without its secret, and what was left behind", () => {
  const { renderer, cleaner, stdout, stderr } = render(FAILURE);
  assert.equal(
    stdout.take(),
    `==> debian: Running the shell provisioner
    debian: failed after 0.5 s
==> debian: Deleting the volume
==> debian: Left behind: volume vol-0aa: it is in use
    debian: done in 0.2 s
==> debian: Failed after 0.8 s: Cannot run the script "setup.sh" with <sensitive>: exit code is 3
`,
  );
  const failed = FAILURE.find((event) => event.type === "build-failed");
  const leftover = FAILURE.find((event) => event.type === "leftover");
  assert.ok(failed !== undefined && leftover !== undefined);
  renderer.result({
    artifacts: [],
    failures: [{ build: "debian", error: cleaner.error(failed.error) }],
    leftovers: [cleaner.leftover(leftover.leftover)],
    elapsedMs: 800,
    exitCode: 3,
  });
  assert.equal(stdout.text, "");
  assert.equal(
    stderr.text,
    `
Error: Cannot run the script "setup.sh" with <sensitive>: exit code is 3
  hint: Look at its last lines

Left behind:
  volume vol-0aa: it is in use
    remove it with: aws ec2 delete-volume --volume-id vol-0aa
`,
  );
});

test("the result names each image with its region and snapshots", () => {
  const { renderer, stdout, stderr } = render([]);
  const artifacts = [{ build: "debian", artifact: ARTIFACT }];
  renderer.result({ artifacts, failures: [], leftovers: [], elapsedMs: 20_200, exitCode: 0 });
  assert.equal(
    stdout.text,
    `
Built 1 image in 20.2 s
  debian: web-1
    us-east-1: ami-0aa (snapshots snap-0aa, snap-0ab)
    eu-west-1: ami-0bb (snapshot snap-0bb)
`,
  );
  assert.equal(stderr.text, "");
});

test("of several builds, each error names its build, and the same interruption is told once", () => {
  const { renderer, cleaner, stderr } = render([]);
  const result = { artifacts: [], leftovers: [], elapsedMs: 1, exitCode: 1 as const };
  const error = cleaner.error(new Error("x"));
  const report = { ...error, code: "ERR_X", stack: "Error: x" };
  renderer.result({
    ...result,
    failures: [
      { build: "a", error: report },
      { build: "b", error: report },
    ],
  });
  assert.match(stderr.take(), /^\nError in a: .*\n(.*\n)*\nError in b: /);
  const interrupted = { code: "ERR_INTERRUPTED", message: "Received SIGINT", causes: [], cleanup: [] };
  renderer.result({
    ...result,
    failures: [
      { build: "a", error: interrupted },
      { build: "b", error: interrupted },
    ],
  });
  assert.equal(stderr.take(), "\nInterrupted: Received SIGINT\n");
});

test("the end of a step that another one came into names the step", () => {
  const { stdout } = render([
    at(0, { type: "step-started", step: "1", title: "Outer" }),
    at(0, { type: "step-started", step: "1", title: "Elsewhere" }, "other"),
    at(1, { type: "step-started", step: "2", title: "Inner" }),
    at(2, { type: "step-finished", step: "2", title: "Inner", elapsedMs: 1000 }),
    at(3, { type: "step-finished", step: "1", title: "Outer", elapsedMs: 3000 }),
    at(3, { type: "step-finished", step: "1", title: "Elsewhere", elapsedMs: 3000 }, "other"),
  ]);
  assert.deepEqual(stdout.text.split("\n").slice(3), [
    "    debian: done in 1.0 s",
    "    debian: Outer: done in 3.0 s",
    "    other: done in 3.0 s",
    "",
  ]);
});

test("with timestamps, each line begins with its time", () => {
  const { stdout } = render(SUCCESS.slice(0, 2), { hasTimestamps: true });
  assert.equal(
    stdout.text,
    "2026-11-23T09:00:00Z: ==> debian: Creating the volume\n" +
      "2026-11-23T09:00:00Z:     debian: Made volume vol-0aa in us-east-1\n",
  );
});

test("with colours, each build has its own, scripts keep theirs, and errors are red", () => {
  const line = (text: string): Parameters<typeof at>[1] => ({ type: "message", text });
  const { stdout } = render(
    [
      at(0, line("one")),
      at(0, line("two"), "other"),
      at(0, { type: "output", stream: "stdout", line: "\x1b[35mpurple" }),
      ...FAILURE.slice(3, 4),
    ],
    { isColoured: true },
  );
  assert.equal(
    stdout.text,
    "\x1b[32m    debian:\x1b[39m one\n" +
      "\x1b[36m    other:\x1b[39m two\n" +
      "\x1b[32m    debian:\x1b[39m \x1b[35mpurple\x1b[0m\n" +
      "\x1b[31m==> debian: Left behind: volume vol-0aa: it is in use\x1b[39m\n",
  );
});
