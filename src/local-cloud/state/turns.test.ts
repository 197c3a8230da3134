import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

/** Works that last until they are told to end, and what has happened so far. */
function works() {
  const turns = new Turns();
  const log: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const start = (name: string, turn: Parameters<Turns["take"]>[0]) =>
    turns.take(turn, () => {
      log.push(name);
      return new Promise<void>((resolve, reject) =>
        ends.set(name, (error) => (error === undefined ? resolve() : reject(error))),
      );
    });
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  const started = () => log.splice(0).join(" ");
  return { start, end, started };
}

test("Those that share an id go side by side; one that is alone waits for them, and they for it", async () => {
  const { start, end, started } = works();
  void start("s1", { shared: ["a"] });
  void start("s2", { shared: ["a"] });
  void start("alone", { alone: ["a"] });
  void start("s3", { shared: ["a"] });
  void start("other", { alone: ["b"] });
  assert.equal(started(), "s1 s2 other");
  await end("s1");
  assert.equal(started(), "");
  await end("s2");
  assert.equal(started(), "alone");
  await end("alone");
  assert.equal(started(), "s3");
  await end("s3");
  void start("last", { alone: ["a"] });
  assert.equal(started(), "last");
});

test("A call takes all its ids at once, alone or shared, and gives them back however it ends", async () => {
  const { start, end, started } = works();
  const failing = start("copy", { alone: ["new"], shared: ["source"] });
  void start("read", { shared: ["source"] });
  void start("delete", { alone: ["source"] });
  void start("after", { alone: ["new", "source"] });
  assert.equal(started(), "copy read");
  await end("copy", new Error("it failed"));
  await assert.rejects(failing, /it failed/);
  assert.equal(started(), "");
  await end("read");
  assert.equal(started(), "delete");
  await end("delete");
  assert.equal(started(), "after");
});
