import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { AsyncDisposableStack } from "./async-disposable-stack.ts";
import { acquireTogether, together } from "./together.ts";

test("together() waits for all before it throws the first failure", async () => {
  let isSlowOver = false;
  const slow = delay(20).then(() => {
    isSlowOver = true;
  });
  await assert.rejects(together([Promise.reject(new Error("early")), slow]), { message: "early" });
  assert.ok(isSlowOver);
});

test("acquireTogether() releases what was acquired, although another failed", async () => {
  const released: string[] = [];
  const acquire = async (name: string): Promise<AsyncDisposable> => {
    await delay(5);
    if (name === "bad") throw new Error(name);
    return { [Symbol.asyncDispose]: async () => void released.push(name) };
  };
  const run = async () => {
    await using owner = new AsyncDisposableStack();
    await acquireTogether(owner, [acquire("one"), acquire("bad"), acquire("two")]);
  };
  await assert.rejects(run(), { message: "bad" });
  assert.deepEqual(released.sort(), ["one", "two"]);
});
