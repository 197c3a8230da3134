import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fault, ToolError } from "../base/errors.ts";
import type { BuildResult } from "../build/run-builds.ts";
import { Interruption } from "./abort-on-signals.ts";
import { exitCodeOfError, exitCodeOfSummary } from "./exit-codes.ts";

const QUIET = new AbortController().signal;
const INTERRUPTED = AbortSignal.abort(new Interruption("Received SIGINT"));
const fails = (fault: Fault): BuildResult => ({ build: "a", error: new ToolError("ERR_X", "x", { fault }) });
const BUILT: BuildResult = { build: "b", artifact: { imageName: "b", images: {}, snapshots: {} } };
const LEFTOVER = { kind: "volume", id: "vol-1", removeWith: "rm", error: new Error("x") } as const;

test("a summary without failures is 0", () => {
  assert.equal(exitCodeOfSummary({ results: [BUILT, BUILT], leftovers: [] }, QUIET), 0);
});

test("something left behind is 3, whatever else happened", () => {
  const signals = [QUIET, INTERRUPTED];
  for (const results of [[BUILT], [fails("build")], [fails("host"), BUILT]]) {
    for (const signal of signals) assert.equal(exitCodeOfSummary({ results, leftovers: [LEFTOVER] }, signal), 3);
  }
});

test("failures are told by their fault, and mixed ones are 1", () => {
  const codeOf = (...results: BuildResult[]) => exitCodeOfSummary({ results, leftovers: [] }, QUIET);
  assert.equal(codeOf(fails("build"), BUILT), 1);
  assert.equal(codeOf(fails("usage")), 2);
  assert.equal(codeOf(fails("host"), fails("host")), 4);
  assert.equal(codeOf(fails("host"), fails("usage")), 1);
});

test("a build whose image is there, but whose post-processor failed, is 1", () => {
  assert.equal(exitCodeOfSummary({ results: [{ ...BUILT, ...fails("build") }], leftovers: [] }, QUIET), 1);
});

test("an interruption is 130, unless every build was done by then", () => {
  const interrupted: BuildResult = { build: "a", error: INTERRUPTED.reason };
  assert.equal(exitCodeOfSummary({ results: [interrupted, BUILT], leftovers: [] }, INTERRUPTED), 130);
  assert.equal(exitCodeOfSummary({ results: [BUILT], leftovers: [] }, INTERRUPTED), 0);
  assert.equal(exitCodeOfError(INTERRUPTED.reason), 130);
});

test("an exception that nobody caught aborts the builds and is 1", () => {
  const bug = new TypeError("x is undefined");
  assert.equal(exitCodeOfSummary({ results: [{ build: "a", error: bug }], leftovers: [] }, AbortSignal.abort(bug)), 1);
  assert.equal(exitCodeOfError(bug), 1);
});
