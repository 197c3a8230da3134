import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { forEachParallel } from "./parallel.ts";

test("forEachParallel() runs every item, never more than asked at once", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await forEachParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running);
    await delay(2);
    running--;
    done.push(item);
  });
  assert.equal(most, 3);
  assert.deepEqual(done.sort(), [1, 2, 3, 4, 5, 6, 7]);
});

test("forEachParallel() begins nothing after a failure, and waits for what is under way", async () => {
  const events: string[] = [];
  const work = forEachParallel([1, 2, 3, 4], 2, async (item) => {
    events.push(`begin ${item}`);
    await delay(item === 1 ? 1 : 20);
    if (item === 1) throw new Error("first");
    events.push(`end ${item}`);
  });
  await assert.rejects(work, { message: "first" });
  assert.deepEqual(events, ["begin 1", "begin 2", "end 2"]);
});

test("forEachParallel() takes items that come one by one, and fails as they do", async () => {
  async function* items(): AsyncGenerator<number> {
    for (let item = 1; item <= 5; item++) {
      await delay(1);
      if (item === 5) throw new Error("no more");
      yield item;
    }
  }
  const done: number[] = [];
  const work = forEachParallel(items(), 2, async (item) => {
    await delay(5);
    done.push(item);
  });
  await assert.rejects(work, { message: "no more" });
  assert.deepEqual(done.sort(), [1, 2, 3, 4]);
});
