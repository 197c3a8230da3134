import assert from "node:assert/strict";
import { test } from "node:test";
import { Secrets } from "../../base/secrets.ts";
import type { BuildEvent } from "../../build/build-events.ts";
import { createCleaner } from "./clean-events.ts";

function cleanLine(line: string): string {
  const cleaner = createCleaner(new Secrets(["hunter2"]));
  const event = cleaner.event({ type: "output", stream: "stdout", line, build: "web", time: new Date(0) });
  assert.ok(event.type === "output");
  return event.line;
}

test("a line of output keeps its colours", () => {
  assert.equal(cleanLine("\x1b[31mred\x1b[0m"), "\x1b[31mred\x1b[0m\x1b[0m");
  assert.equal(cleanLine("\x1b[31mis hunter2"), "\x1b[31mis <sensitive>\x1b[0m");
});

test("a secret is hidden too where colours or other control characters stand in it", () => {
  assert.equal(cleanLine("is \x1b[31mhun\x1b[0mter2 now"), "is <sensitive> now");
  assert.equal(cleanLine("is hun\x07te\x1b[2Kr2 now"), "is <sensitive> now");
});

test("the name of a build is cleaned in every event", () => {
  const cleaner = createCleaner(new Secrets(["hunter2"]));
  const error = new Error("hunter2");
  const leftover = { kind: "volume", id: "vol-1", removeWith: "remove hunter2", error } as const;
  const events: BuildEvent[] = [
    { type: "message", text: "hunter2" },
    { type: "output", stream: "stdout", line: "hunter2" },
    { type: "leftover", leftover },
    { type: "build-failed", error, elapsedMs: 1 },
  ];
  for (const event of events) {
    const clean = cleaner.event({ ...event, build: "web hunter2", time: new Date(0) });
    assert.equal(clean.build, "web <sensitive>");
    assert.doesNotMatch(JSON.stringify(clean), /hunter2/);
  }
});

test("secrets that are learned of later are hidden from then on", () => {
  const secrets = new Secrets();
  const cleaner = createCleaner(secrets);
  assert.equal(cleaner.text("hunter2"), "hunter2");
  secrets.add("hunter2");
  assert.equal(cleaner.text("hunter2"), "<sensitive>");
});
