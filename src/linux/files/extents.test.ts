import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../base/random.ts";
import { clipExtents, intersectExtents, joinExtents, subtractExtents } from "./extents.ts";
import type { Extent } from "./sparse-file.ts";

const LENGTH = 60;
const seed = Date.now() % 1_000_000;

function bytesOf(extents: readonly Extent[]): boolean[] {
  const bytes = Array<boolean>(LENGTH).fill(false);
  for (const { startBytes, endBytes } of extents) bytes.fill(true, startBytes, endBytes);
  return bytes;
}

function extentsOf(bytes: readonly boolean[]): Extent[] {
  const extents: Extent[] = [];
  bytes.forEach((isIn, index) => {
    if (isIn) extents.push({ startBytes: index, endBytes: index + 1 });
  });
  return joinExtents(extents);
}

test("What two lists have in common, and what one has more, is right byte by byte", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const sample = () => Array.from({ length: LENGTH }, () => random() < 0.5);
    const [a, b] = [sample(), sample()];
    const both = a.map((isIn, index) => isIn && b[index] === true);
    const onlyA = a.map((isIn, index) => isIn && b[index] !== true);
    assert.deepEqual(bytesOf(intersectExtents(extentsOf(a), extentsOf(b))), both, `seed ${seed}`);
    const window = { startBytes: Math.floor(random() * 30), endBytes: 31 + Math.floor(random() * 29) };
    assert.deepEqual(clipExtents(extentsOf(a), window), intersectExtents(extentsOf(a), [window]), `seed ${seed}`);
    assert.deepEqual(bytesOf(subtractExtents(extentsOf(a), extentsOf(b))), onlyA, `seed ${seed}`);
  }
});

test("Extents that touch or overlap become one", () => {
  const extents = [
    { startBytes: 0, endBytes: 2 },
    { startBytes: 2, endBytes: 3 },
    { startBytes: 4, endBytes: 9 },
    { startBytes: 5, endBytes: 6 },
  ];
  assert.deepEqual(joinExtents(extents), [
    { startBytes: 0, endBytes: 3 },
    { startBytes: 4, endBytes: 9 },
  ]);
});
