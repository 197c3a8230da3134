import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../base/random.ts";
import { ReadAhead } from "./read-ahead.ts";

const range = (start: number, end: number) => Array.from({ length: end - start }, (_, index) => start + index);

/** What is read ahead of when blocks at these positions are wanted, one after the other. */
function aheadOf(readAhead: ReadAhead, positions: readonly number[]): number[] {
  return positions.flatMap((position) => readAhead.wanted(position));
}

test("a run is read ahead of by half of its length, at most 16 blocks, and nothing twice", () => {
  const readAhead = new ReadAhead(Uint32Array.from(range(0, 1000)));
  assert.deepEqual(aheadOf(readAhead, range(100, 107)), [], "7 blocks in a row may be a program");
  for (let position = 107; position < 200; position++) {
    const before = position - 100;
    for (const ahead of readAhead.wanted(position)) {
      assert.ok(ahead > position && ahead <= position + Math.min(16, (before + 1) / 2), `${ahead} of ${position}`);
    }
  }
  const again = new ReadAhead(Uint32Array.from(range(0, 1000)));
  const ahead = aheadOf(again, range(100, 200));
  assert.equal(new Set(ahead).size, ahead.length);
  assert.deepEqual(ahead, range(ahead[0] ?? 0, 216));
});

test("readers who take turns are followed each, and so are requests that overtake each other", () => {
  const readAhead = new ReadAhead(Uint32Array.from(range(0, 1000)));
  const turns = range(0, 40).flatMap((step) => [100 + step, 500 + step, 900 + step]);
  const ahead = aheadOf(readAhead, turns);
  for (const start of [140, 540, 940]) assert.ok(ahead.includes(start), `${start}`);
  const swapped = range(0, 40).map((step) => 200 + (step ^ 1));
  assert.ok(aheadOf(readAhead, swapped).includes(240));
});

test("jumping about, going backwards, leaving out every second block and reading one again are no runs", () => {
  const random = seededRandom(3);
  const jumps = Array.from({ length: 200 }, () => Math.floor(random() * 100_000));
  const everySecond = range(0, 300).map((step) => step * 2);
  for (const positions of [jumps, everySecond, range(0, 300).reverse(), Array.from({ length: 300 }, () => 7)]) {
    assert.deepEqual(aheadOf(new ReadAhead(Uint32Array.from(range(0, 100_000))), positions), []);
  }
});

test("small holes are passed over, large ones and the end of the disk are not", () => {
  const blockIndexes = Uint32Array.from([...range(0, 20).map((index) => index * 3), ...range(500, 510)]);
  const readAhead = new ReadAhead(blockIndexes);
  const ahead = aheadOf(readAhead, range(0, 18));
  assert.deepEqual(ahead.slice(-2), [54, 57]);
  assert.ok(ahead.every((index) => index < 500));
  assert.deepEqual(aheadOf(new ReadAhead(Uint32Array.from(range(0, 12))), range(0, 12)).at(-1), 11);
});
