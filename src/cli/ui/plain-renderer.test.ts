import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ARTIFACT,
  at,
  FAILED_AFTERWARDS,
  FAILURE,
  RecordedStream,
  SUCCESS,
} from "../../../test/helpers/sample-build-events.ts";
import { Secrets } from "../../base/secrets.ts";
import type { NamedBuildEvent } from "../../build/build-events.ts";
import { createCleaner } from "./clean-events.ts";
import { createColours } from "./colours.ts";
import { PlainRenderer } from "./plain-renderer.ts";

function render(events: readonly NamedBuildEvent[], options: { isColoured?: boolean; hasTimestamps?: boolean } = {}) {
  const stdout = new RecordedStream();
  const stderr = new RecordedStream();
  const { isColoured = false, hasTimestamps = false } = options;
  const renderer = new PlainRenderer({ stdout, stderr, colours: createColours(isColoured), hasTimestamps });
  const cleaner = createCleaner(new Secrets(["hunter2"]));
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

test("what is counted is a sign of life each 10 s, not a line for each", () => {
  const step = "step-1";
  const counted = (seconds: number, done: number) =>
    at(seconds, { type: "step-progress", step, text: `${done} of 90 blocks`, percent: (100 * done) / 90 });
  const { stdout } = render([
    at(0, { type: "step-started", step, title: "Uploading" }),
    at(0, { type: "step-progress", step, text: "looking at what has changed" }),
    ...[1, 2, 3, 10, 11, 12].map((seconds) => counted(seconds, seconds * 3)),
    at(12.5, { type: "step-progress", step, text: "70 blocks have changed" }),
    at(13, { type: "step-finished", step, title: "Uploading", elapsedMs: 13_000 }),
  ]);
  assert.equal(
    stdout.text,
    `==> debian: Uploading
    debian: looking at what has changed
    debian: 3 of 90 blocks, 3 %
    debian: 33 of 90 blocks, 36 %
    debian: 70 blocks have changed
    debian: done in 13.0 s
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

test("a post-processor that fails: the image is told as built, and the failure as its own", () => {
  const { renderer, cleaner, stdout, stderr } = render(FAILED_AFTERWARDS);
  assert.equal(
    stdout.take(),
    `==> debian: manifest: out.json
    debian: failed after 0.2 s
==> debian: Failed after 20.2 s: Cannot post-process with "manifest: out.json" of web.json:7:5
`,
  );
  const failed = FAILED_AFTERWARDS.find((event) => event.type === "build-failed");
  assert.ok(failed !== undefined);
  renderer.result({
    artifacts: [{ build: "debian", artifact: { ...ARTIFACT, images: { "us-east-1": "ami-0aa" } } }],
    failures: [{ build: "debian", error: cleaner.error(failed.error) }],
    leftovers: [],
    elapsedMs: 20_200,
    exitCode: 1,
  });
  assert.equal(
    stdout.text,
    `
Built 1 image in 20.2 s
  debian: web-1
    us-east-1: ami-0aa (snapshots snap-0aa, snap-0ab)
`,
  );
  assert.equal(
    stderr.text,
    `
Error: Cannot post-process with "manifest: out.json" of web.json:7:5
  caused by: Cannot add to the manifest "out.json": it is no JSON object
  hint: The image is complete all the same, and stays: us-east-1:ami-0aa
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
