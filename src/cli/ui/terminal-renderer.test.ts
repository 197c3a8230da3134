import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeTerminal } from "../../../test/helpers/fake-terminal.ts";
import { ARTIFACT, at, FAILURE, RecordedStream, START, SUCCESS } from "../../../test/helpers/sample-build-events.ts";
import { Secrets } from "../../base/secrets.ts";
import type { NamedBuildEvent } from "../../build/build-events.ts";
import { createCleaner } from "./clean-events.ts";
import { createColours } from "./colours.ts";
import { TerminalRenderer } from "./terminal-renderer.ts";

function open(columns = 80) {
  const terminal = new FakeTerminal(columns);
  const stderr = new RecordedStream();
  let nowMs = START.getTime();
  const options = { stdout: terminal, stderr, colours: createColours(true), hasTimestamps: false };
  const renderer = new TerminalRenderer(options, () => nowMs);
  const cleaner = createCleaner(new Secrets());
  return {
    terminal,
    stderr,
    renderer,
    /** Tells events, each at its own time. */
    tell(events: readonly NamedBuildEvent[]): void {
      for (const event of events) {
        nowMs = event.time.getTime();
        renderer.event(cleaner.event(event));
      }
    },
    [Symbol.dispose]: () => renderer[Symbol.dispose](),
  };
}

test("a step under way is a live line with its progress and elapsed time", () => {
  using view = open();
  view.tell(SUCCESS.slice(0, 1));
  assert.deepEqual(view.terminal.screen, ["... debian: Creating the volume  0.0 s"]);
  view.tell([at(0.5, { type: "step-progress", step: "step-1", text: "vol-0aa", percent: 50 })]);
  assert.deepEqual(view.terminal.screen, ["... debian: Creating the volume: vol-0aa, 50 %  0.5 s"]);
});

test("a step that is done becomes one line that stays, with what it told last and its time", () => {
  using view = open();
  view.tell([
    at(0, { type: "step-started", step: "1", title: "Attaching the volume" }),
    at(0.5, { type: "step-progress", step: "1", text: "as /dev/sdf" }),
    at(2, { type: "step-finished", step: "1", title: "Attaching the volume", elapsedMs: 2000 }),
    at(2.2, { type: "step-started", step: "2", title: "Mounting it" }),
  ]);
  assert.deepEqual(view.terminal.screen, [
    "==> debian: Attaching the volume: as /dev/sdf  2.0 s",
    "... debian: Mounting it  0.0 s",
  ]);
});

test("what is printed during a step comes under its title, above the live line", () => {
  using view = open();
  view.tell(SUCCESS.slice(3, 7));
  assert.deepEqual(view.terminal.screen, [
    "==> debian: Running the shell provisioner",
    "    debian: Setting up nginx, done",
    "    debian:",
    "==> debian: Warning: The image has no network",
    "    debian: hint: Set copy_files",
    "... debian: Running the shell provisioner  0.3 s",
  ]);
  view.tell(SUCCESS.slice(7, 8));
  assert.equal(view.terminal.screen.at(-1), "    debian: Running the shell provisioner  1.0 s");
});

test("builds side by side have a live line each", () => {
  using view = open();
  view.tell([
    at(0, { type: "step-started", step: "1", title: "One" }, "a"),
    at(1, { type: "step-started", step: "1", title: "Two" }, "b"),
  ]);
  assert.deepEqual(view.terminal.screen, ["... a: One  1.0 s", "... b: Two  0.0 s"]);
  view.tell([at(2, { type: "step-finished", step: "1", title: "One", elapsedMs: 2000 }, "a")]);
  assert.deepEqual(view.terminal.screen, ["==> a: One  2.0 s", "... b: Two  1.0 s"]);
});

test("a live line is cut to the width, and a terminal made narrower is not littered", () => {
  using view = open(30);
  view.tell([at(0, { type: "step-started", step: "1", title: "Ein sehr langer Schritt, größer als breit" })]);
  assert.equal(view.terminal.screen.length, 1);
  assert.ok((view.terminal.screen[0] ?? "").length < 30);
  // A real terminal wraps what it shows: the one row becomes three.
  const narrow = new FakeTerminal(12);
  narrow.write(`${view.terminal.screen[0]}\n`);
  assert.equal(narrow.screen.length, 3);
  view.terminal.columns = 12;
  view.terminal.write = (text) => narrow.write(text);
  view.renderer[Symbol.dispose]();
  assert.deepEqual(narrow.screen, []);
});

test("a pseudo terminal without a size gets whole lines", () => {
  using view = open();
  view.terminal.columns = 0;
  view.terminal.write = (text) => {
    assert.ok(text.includes("Creating the volume"));
    return true;
  };
  view.tell(SUCCESS.slice(0, 1));
  view.terminal.write = () => true;
});

test("many changes within 100 ms are drawn once", () => {
  using view = open();
  view.tell([at(0, { type: "step-started", step: "1", title: "Copying" })]);
  const before = view.terminal.writeCount;
  for (let index = 0; index < 1000; index++) {
    view.tell([at(0.05, { type: "step-progress", step: "1", text: "bytes", percent: index / 10 })]);
  }
  assert.equal(view.terminal.writeCount, before);
  view.tell([at(0.1, { type: "step-progress", step: "1", text: "bytes", percent: 100 })]);
  assert.equal(view.terminal.writeCount, before + 1);
});

test("the result takes the live lines away", () => {
  using view = open();
  view.tell(FAILURE.slice(0, 1));
  const artifacts = [{ build: "debian", artifact: ARTIFACT }];
  view.renderer.result({ artifacts, failures: [], leftovers: [], elapsedMs: 1000, exitCode: 0 });
  assert.deepEqual(view.terminal.screen, [
    "",
    "Built 1 image in 1.0 s",
    "  debian: web-1",
    "    us-east-1: ami-0aa (snapshots snap-0aa, snap-0ab)",
    "    eu-west-1: ami-0bb (snapshot snap-0bb)",
  ]);
});

test("what follows a failure is dimmed, and its end is on standard error", () => {
  using view = open();
  let written = "";
  view.terminal.write = (text) => {
    written += text;
    return true;
  };
  view.tell(FAILURE);
  assert.ok(written.includes("\x1b[2mfailed after 0.5 s\x1b[22m"));
  assert.ok(written.includes("\n\x1b[2m==> debian: Deleting the volume\x1b[22m\n"));
  const error = { code: "ERR_X", message: "Cannot run it", causes: [], cleanup: [] };
  view.renderer.result({
    artifacts: [],
    failures: [{ build: "debian", error }],
    leftovers: [],
    elapsedMs: 1,
    exitCode: 1,
  });
  assert.equal(view.stderr.text, "\n\x1b[31m\x1b[1mError:\x1b[22m\x1b[39m Cannot run it\n");
});
