import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockSet } from "./block-set.ts";

test("a block is in the set once it was added, and counts once", () => {
  const blocks = new BlockSet();
  for (const index of [0, 9, 7, 9, 100_000]) blocks.add(index);
  assert.equal(blocks.size, 4);
  assert.deepEqual(
    [0, 1, 7, 8, 9, 99_999, 100_000, 2 ** 27].map((index) => blocks.has(index)),
    [...[true, false, true, false, true], ...[false, true, false]],
  );
});

test("it holds the blocks of 16 TiB, which no Set does", () => {
  const blocks = new BlockSet();
  for (let index = 0; index < 2 ** 25; index++) blocks.add(index);
  assert.equal(blocks.size, 2 ** 25);
});
