import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { TokenBuckets } from "./token-buckets.ts";

const CALL = { accountId: "000000000000", region: "us-east-1", isSelective: true };

function open(): { buckets: TokenBuckets; advance(durationMs: number): void } {
  let nowMs = 0;
  const clock: Clock = { now: () => nowMs, sleep: () => Promise.reject(new Error("not used")) };
  return {
    buckets: new TokenBuckets(clock),
    advance: (durationMs) => {
      nowMs += durationMs;
    },
  };
}

/** How many calls in a row are let through. */
function burst(buckets: TokenBuckets, call: Parameters<TokenBuckets["take"]>[0]): number {
  let count = 0;
  while (buckets.take(call)) count += 1;
  return count;
}

for (const [action, isSelective, capacity, refillPerSecond] of [
  ["DescribeImages", false, 100, 20],
  ["DescribeVolumes", true, 100, 20],
  ["DescribeVolumes", false, 50, 10],
  ["GetEbsEncryptionByDefault", false, 100, 20],
  ["AttachVolume", true, 50, 5],
  ["RegisterImage", false, 50, 5],
  ["CreateVolume", false, 100, 5],
  ["CopyImage", true, 100, 1],
  ["CreateTags", true, 100, 10],
  ["PutSnapshotBlock", true, 1_000, 1_000],
  ["ListChangedBlocks", true, 50, 50],
  ["CompleteSnapshot", true, 10, 10],
] as const) {
  test(`${action}${isSelective ? " with ids" : ""} has a bucket of ${capacity}, and ${refillPerSecond} a second`, () => {
    const { buckets, advance } = open();
    const call = { ...CALL, action, isSelective };
    assert.equal(burst(buckets, call), capacity);
    advance(2_000);
    assert.equal(burst(buckets, call), Math.min(2 * refillPerSecond, capacity));
    advance(3_600_000);
    assert.equal(burst(buckets, call), capacity, "a bucket never holds more");
  });
}

test("Accounts, regions and actions have buckets of their own", () => {
  const { buckets } = open();
  const call = { ...CALL, action: "AttachVolume" };
  burst(buckets, call);
  assert.equal(buckets.take(call), false);
  assert.equal(buckets.take({ ...call, accountId: "111111111111" }), true);
  assert.equal(buckets.take({ ...call, region: "us-west-2" }), true);
  assert.equal(buckets.take({ ...call, action: "DetachVolume" }), true);
});

test("Each snapshot has buckets for its blocks, whoever asks; other actions know none", () => {
  const { buckets } = open();
  const takes = (snapshotId: string, action: string, count: number) =>
    Array.from({ length: count }, () => buckets.takeOfSnapshot(snapshotId, action)).filter(Boolean).length;
  assert.equal(takes("snap-1", "GetSnapshotBlock", 1_100), 1_000);
  assert.equal(takes("snap-1", "PutSnapshotBlock", 1_100), 1_000);
  assert.equal(takes("snap-2", "GetSnapshotBlock", 10), 10);
  assert.equal(takes("snap-1", "CompleteSnapshot", 2_000), 2_000);
});
