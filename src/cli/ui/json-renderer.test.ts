import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ARTIFACT,
  FAILED_AFTERWARDS,
  FAILURE,
  RecordedStream,
  START,
  SUCCESS,
} from "../../../test/helpers/sample-build-events.ts";
import { Secrets } from "../../base/secrets.ts";
import { createCleaner } from "./clean-events.ts";
import { JsonRenderer } from "./json-renderer.ts";

function open() {
  const stdout = new RecordedStream();
  const renderer = new JsonRenderer(stdout, () => START);
  const lines = (): unknown[] =>
    stdout
      .take()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as unknown);
  return { renderer, lines, cleaner: createCleaner(new Secrets(["hunter2"])) };
}

test("each event is one line, with its time and build", () => {
  const { renderer, lines, cleaner } = open();
  for (const event of SUCCESS) renderer.event(cleaner.event(event));
  const written = lines();
  assert.equal(written.length, SUCCESS.length);
  assert.deepEqual(written.slice(0, 2), [
    {
      time: "2026-11-23T09:00:00.000Z",
      build: "debian",
      type: "step-started",
      step: "step-1",
      title: "Creating the volume",
    },
    {
      time: "2026-11-23T09:00:00.100Z",
      build: "debian",
      type: "resource-created",
      kind: "volume",
      id: "vol-0aa",
      region: "us-east-1",
    },
  ]);
});

test("output has no colours", () => {
  const { renderer, lines, cleaner } = open();
  for (const event of SUCCESS.slice(4, 5)) renderer.event(cleaner.event(event));
  assert.deepEqual(lines(), [
    {
      time: "2026-11-23T09:00:01.300Z",
      build: "debian",
      type: "output",
      stream: "stdout",
      line: "Setting up nginx, done",
    },
  ]);
});

test("errors are data, without secrets", () => {
  const { renderer, lines, cleaner } = open();
  for (const event of FAILURE.slice(-1)) renderer.event(cleaner.event(event));
  assert.deepEqual(lines(), [
    {
      time: "2026-11-23T09:00:00.800Z",
      build: "debian",
      type: "build-failed",
      elapsedMs: 800,
      error: {
        code: "ERR_SCRIPT_FAILED",
        message: 'Cannot run the script "setup.sh" with <sensitive>: exit code is 3',
        causes: [],
        hint: "Look at its last lines",
        cleanup: [],
      },
    },
  ]);
});

test("a build whose post-processor failed has its artifact, without secrets", () => {
  const { renderer, lines, cleaner } = open();
  for (const event of FAILED_AFTERWARDS.slice(-1)) renderer.event(cleaner.event(event));
  const [line] = lines() as { type: string; artifact: object; error: { code: string } }[];
  assert.deepEqual(
    [line?.type, line?.error.code, line?.artifact],
    ["build-failed", "ERR_POST_PROCESSOR_FAILED", { ...ARTIFACT, imageName: "web-<sensitive>" }],
  );
});

test("a secret that is one of our own words does not change what a line is", () => {
  const { renderer, lines } = open();
  const cleaner = createCleaner(new Secrets(["output", "stdout"]));
  for (const event of SUCCESS.slice(4, 5)) renderer.event(cleaner.event(event));
  const [line] = lines() as { type: string; stream: string }[];
  assert.equal(line?.type, "output");
  assert.equal(line.stream, "stdout");
});

test("the last line is the result", () => {
  const { renderer, lines } = open();
  renderer.note("Received SIGINT");
  const artifacts = [{ build: "debian", artifact: ARTIFACT }];
  renderer.result({ artifacts, failures: [], leftovers: [], elapsedMs: 20_200, exitCode: 0 });
  assert.deepEqual(lines(), [
    { time: START.toISOString(), type: "note", text: "Received SIGINT" },
    {
      time: START.toISOString(),
      type: "result",
      artifacts,
      failures: [],
      leftovers: [],
      elapsedMs: 20_200,
      exitCode: 0,
    },
  ]);
});
