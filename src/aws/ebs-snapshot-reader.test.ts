import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeEbs } from "../../test/helpers/fake-ebs.ts";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import type { SnapshotId } from "../base/ids.ts";
import { NEVER } from "../base/never.ts";
import { AwsError } from "./aws-error.ts";
import { openSnapshotReader } from "./ebs-snapshot-reader.ts";

const SNAPSHOT = "snap-1" as SnapshotId;
const INDEXES = [0, 3, 4, 10, 11, 500, 1000];

async function openReader(options: { pageBlocksMax?: number } = {}) {
  const ebs = new FakeEbs();
  ebs.pageBlocksMax = options.pageBlocksMax ?? 2;
  ebs.add(SNAPSHOT, 1, Object.fromEntries(INDEXES.map((index) => [index, Buffer.from(`block ${index}`)])));
  const reader = await openSnapshotReader(ebs, SNAPSHOT, { signal: NEVER, clock: scaledClock(1000) });
  return { ebs, reader };
}

test("a reader knows the size and the blocks, and reads what is not among them as nothing", async () => {
  const { ebs, reader } = await openReader();
  assert.equal(reader.sizeGib, 1);
  assert.deepEqual([...reader.blockIndexes], INDEXES);
  for (const index of [0, 4, 1000]) {
    const block = await reader.read(index);
    assert.equal(block?.blockIndex, index);
    assert.match(Buffer.from(block?.data ?? []).toString(), new RegExp(`^block ${index}\0`));
  }
  for (const index of [1, 5, 999, 1001, 2047]) assert.equal(await reader.read(index), undefined);
  assert.deepEqual(ebs.usage, { getSnapshotBlock: 3, putSnapshotBlock: 0, list: 4, other: 0 });
});

test("reads whose tokens have expired share one listing of their page, and then succeed", async () => {
  const { ebs, reader } = await openReader();
  ebs.expireTokens();
  const blocks = await Promise.all([3, 0, 0, 3, 0].map((index) => reader.read(index)));
  assert.deepEqual(
    blocks.map((block) => block?.blockIndex),
    [3, 0, 0, 3, 0],
  );
  assert.equal(ebs.usage.list, 4 + 1);
  assert.equal((await reader.read(500))?.blockIndex, 500);
  assert.equal(ebs.usage.list, 4 + 2);
});

test("a token that EBS never takes ends in its error", async () => {
  const { ebs, reader } = await openReader();
  ebs.before = (call) => {
    if (call === "getSnapshotBlock") ebs.expireTokens();
  };
  await assert.rejects(reader.read(3), { reason: "INVALID_BLOCK_TOKEN" });
});

test("a listing that fails is tried again by the next read", async () => {
  const { ebs, reader } = await openReader();
  ebs.expireTokens();
  ebs.before = (call) => {
    if (call === "listSnapshotBlocks") throw new AwsError("ListSnapshotBlocks", "AccessDeniedException", "no");
  };
  await assert.rejects(reader.read(3), { awsCode: "AccessDeniedException" });
  ebs.before = () => {};
  assert.equal((await reader.read(3))?.blockIndex, 3);
});

test("the same reader serves a snapshot with more blocks than it keeps tokens of", async () => {
  const ebs = new FakeEbs();
  ebs.add(SNAPSHOT, 1024, {});
  const tokensOf = new Map<number, number>();
  // A listing of 400,000 blocks, 10,000 a page.
  ebs.listSnapshotBlocks = async function* (_snapshotId, { startingBlockIndex = 0 } = {}) {
    for (let first = startingBlockIndex; first < 400_000; first += 10_000) {
      ebs.usage.list++;
      const blocks = Array.from({ length: 10_000 }, (_, index) => ({ blockIndex: first + index, blockToken: "t" }));
      yield { sizeGib: 1024, blocks };
    }
  };
  ebs.getSnapshotBlock = async (_snapshotId, { blockIndex }) => {
    tokensOf.set(blockIndex, (tokensOf.get(blockIndex) ?? 0) + 1);
    return { blockIndex, data: new Uint8Array(), sha256: new Uint8Array() };
  };
  const reader = await openSnapshotReader(ebs, SNAPSHOT, { signal: NEVER, clock: scaledClock(1000) });
  assert.equal(reader.blockIndexes.length, 400_000);
  assert.equal(ebs.usage.list, 40);
  await reader.read(5);
  assert.equal(ebs.usage.list, 40, "the first pages are kept");
  for (let index = 299_999; index < 400_000; index += 10_000) await reader.read(index);
  assert.equal(ebs.usage.list, 51, "one listing for each page that was not");
  await reader.read(399_000);
  assert.equal(ebs.usage.list, 51);
  assert.equal([...tokensOf.values()].length, 13);
});

test("a snapshot that was completed just now may be unknown for a while; another one is an error at once", async () => {
  const { ebs } = await openReader();
  let failures = 0;
  ebs.before = (call) => {
    if (call !== "listSnapshotBlocks" || failures++ >= 5) return;
    throw new AwsError("ListSnapshotBlocks", "ResourceNotFoundException", "not there");
  };
  const options = { signal: NEVER, clock: scaledClock(1000) };
  await assert.rejects(openSnapshotReader(ebs, SNAPSHOT, options), { awsCode: "ResourceNotFoundException" });
  const reader = await openSnapshotReader(ebs, SNAPSHOT, { ...options, isFresh: true });
  assert.equal(failures, 5 + 4);
  assert.deepEqual([...reader.blockIndexes], INDEXES);
});
