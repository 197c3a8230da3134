import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";
import { FakeClock } from "../../test/helpers/fake-clock.ts";
import { FakeTerminal } from "../../test/helpers/fake-terminal.ts";
import { Secrets } from "../base/secrets.ts";
import type { CliContext } from "./cli-context.ts";
import { TerminalPrompter } from "./terminal-prompter.ts";
import { createCleaner } from "./ui/clean-events.ts";
import { createColours } from "./ui/colours.ts";
import { HoldableRenderer } from "./ui/holdable-renderer.ts";
import { TerminalRenderer } from "./ui/terminal-renderer.ts";

const never = new AbortController().signal;
const time = new Date(0);

function openBench({ isTTY = false } = {}) {
  const terminal = new FakeTerminal();
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const clock = new FakeClock();
  const context = { stdin, stdout: terminal, stderr: terminal, environment: {} } as unknown as CliContext;
  const text = { stdout: terminal, stderr: terminal, colours: createColours(false), hasTimestamps: false };
  const renderer = new HoldableRenderer(new TerminalRenderer(text, () => 0));
  const prompter = new TerminalPrompter(context, {
    renderer,
    cleaner: createCleaner(new Secrets(["hunter2"])),
    color: false,
    clock,
  });
  return { terminal, stdin, clock, renderer, prompter, [Symbol.dispose]: () => renderer[Symbol.dispose]() };
}

test("ask() gives a line for each question, and nothing once the input has ended", async () => {
  using bench = openBench();
  bench.stdin.write("one\ntw");
  const answers = [1, 2, 3, 4].map((n) => bench.prompter.ask({ build: "web", text: `Question ${n}` }, never));
  assert.equal(await answers[0], "one");
  bench.stdin.end("o\r\nthree");
  assert.deepEqual(await Promise.all(answers), ["one", "two", "three", undefined]);
  assert.deepEqual(
    bench.terminal.screen,
    [1, 2, 3, 4].map((n) => `==> web: Question ${n}`),
  );
});

test("ask() waits ten minutes for a pipe that says nothing, and for ever for a person", async () => {
  using pipe = openBench();
  using person = openBench({ isTTY: true });
  const silent = pipe.prompter.ask({ build: "web", text: "Go on?" }, never);
  const slow = person.prompter.ask({ build: "web", text: "Go on?" }, never);
  await immediate();
  for (const { clock } of [pipe, person]) clock.advance(10 * 60_000);
  assert.equal(await silent, undefined);
  person.stdin.write("yes\n");
  assert.equal(await slow, "yes");
});

test("ask() shows what went wrong, without secrets, and ends with the signal", async () => {
  using bench = openBench();
  const controller = new AbortController();
  const asked = bench.prompter.ask({ build: "web", text: "What now?", error: new Error("hunter2") }, controller.signal);
  await immediate();
  controller.abort(new Error("Received SIGINT"));
  await assert.rejects(asked, /Received SIGINT/);
  assert.match(bench.terminal.screen.join("\n"), /Error: Internal error: <sensitive>[\s\S]*==> web: What now\?$/);
});

test("nothing is printed while somebody is asked or has the terminal; it comes afterwards", async () => {
  using bench = openBench();
  const { renderer, prompter, terminal, stdin } = bench;
  renderer.event({ type: "step-started", step: "1", title: "Working", build: "other", time });
  renderer.event({ type: "message", text: "before", build: "other", time });
  const asked = prompter.ask({ build: "web", text: "Go on?" }, never);
  await immediate();
  const during = [...terminal.screen];
  assert.deepEqual(during.slice(-1), ["==> web: Go on?"]);
  assert.doesNotMatch(during.join(), /\.\.\. other/);
  renderer.event({ type: "message", text: "after", build: "other", time });
  assert.deepEqual(terminal.screen, during);
  stdin.write("\n");
  await asked;
  const lent = prompter.lend(async () => {
    await immediate();
    assert.match(terminal.screen.at(-1) ?? "", /after/);
  });
  await lent;
  assert.match(terminal.screen.at(-1) ?? "", /\.\.\. other: Working/);
});
