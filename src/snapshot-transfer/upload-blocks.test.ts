import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FakeEbs } from "../../test/helpers/fake-ebs.ts";
import { AwsError } from "../aws/aws-error.ts";
import { BlockHashes } from "../base/block-hashes.ts";
import type { SnapshotId } from "../base/ids.ts";
import { NEVER } from "../base/never.ts";
import { hashBlock } from "./hash-block.ts";
import { type BlockFate, uploadBlocks, writtenBlocks } from "./upload-blocks.ts";

/** A disk with these blocks; the others are zero. */
function diskOf(blocks: Readonly<Record<number, string>>) {
  return async (blockIndex: number, target: Uint8Array) => {
    await delay(Math.random() * 2);
    target.fill(0);
    target.set(Buffer.from(blocks[blockIndex] ?? ""));
  };
}

async function pendingSnapshot(ebs: FakeEbs, parentSnapshotId?: SnapshotId): Promise<SnapshotId> {
  const plan = { sizeGib: 1, description: "", tags: {}, clientToken: "token", parentSnapshotId };
  return (await ebs.startSnapshot(plan)).snapshotId;
}

test("blocks are put, zeros are not, and the checksum is that of the hashes in the order of the indexes", async () => {
  const ebs = new FakeEbs();
  const snapshotId = await pendingSnapshot(ebs);
  const blocks = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [index, `block ${index}`]));
  const fates: BlockFate[] = [];
  const candidates = [300, ...Array.from({ length: 200 }, (_, index) => 199 - index), 301];
  const source = { candidates, readBlock: diskOf(blocks) };
  const hashes = await uploadBlocks({ ebs, snapshotId, source, onBlock: (fate) => fates.push(fate), signal: NEVER });
  assert.deepEqual(
    [...hashes.indexes()],
    Array.from({ length: 200 }, (_, index) => index),
  );
  assert.equal(fates.filter((fate) => fate === "put").length, 200);
  assert.equal(fates.filter((fate) => fate === "unchanged").length, 2);
  for (const index of [0, 77, 199]) {
    assert.equal(ebs.snapshots.get(snapshotId)?.written.get(index)?.content.toString(), `block ${index}`);
  }
  const written = writtenBlocks(hashes);
  const expected = createHash("sha256");
  for (const { sha256 } of hashes) expected.update(sha256);
  assert.deepEqual(written, { changedBlocksCount: 200, checksum: expected.digest() });
  await ebs.completeSnapshot(snapshotId, written);
  assert.equal(ebs.snapshots.get(snapshotId)?.state, "completed");
});

test("of a child only what differs from the parent is put, zeros over content too", async () => {
  const ebs = new FakeEbs();
  const parent = ebs.add("snap-parent" as SnapshotId, 1, {
    0: Buffer.from("same"),
    1: Buffer.from("old"),
    2: Buffer.from("to be zeroed"),
  });
  const snapshotId = await pendingSnapshot(ebs, parent.snapshotId);
  const source = { candidates: [0, 1, 2, 3, 4], readBlock: diskOf({ 0: "same", 1: "new", 3: "more" }) };
  const hashes = await uploadBlocks({
    ebs,
    snapshotId,
    source,
    parentHashOf: (blockIndex) => parent.blocks.get(blockIndex)?.sha256,
    signal: NEVER,
  });
  assert.deepEqual([...hashes.indexes()], [1, 2, 3]);
  await ebs.completeSnapshot(snapshotId, writtenBlocks(hashes));
  const blocks = ebs.snapshots.get(snapshotId)?.blocks;
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => blocks?.get(index)?.content.toString() ?? ""),
    ["same", "new", "", "more", ""],
  );
});

test("what was acknowledged before is neither read nor put, and counts for the checksum", async () => {
  const ebs = new FakeEbs();
  const snapshotId = await pendingSnapshot(ebs);
  const read: number[] = [];
  const disk = diskOf({ 0: "a", 1: "b", 2: "c" });
  const source = {
    candidates: [0, 1, 2],
    readBlock: async (blockIndex: number, target: Uint8Array) => {
      read.push(blockIndex);
      await disk(blockIndex, target);
    },
  };
  const data = Buffer.alloc(524_288);
  data.write("b");
  const before = [{ blockIndex: 1, sha256: hashBlock(data) }];
  await ebs.putSnapshotBlock(snapshotId, { blockIndex: 1, data, sha256: hashBlock(data) });
  const added: number[] = [];
  const acknowledged = {
    has: (blockIndex: number) => blockIndex === 1,
    add: (block: { blockIndex: number; sha256: Uint8Array }) => {
      added.push(block.blockIndex);
      before.push({ blockIndex: block.blockIndex, sha256: Buffer.from(block.sha256) });
    },
    sorted: () => BlockHashes.from(before),
  };
  const hashes = await uploadBlocks({ ebs, snapshotId, source, acknowledged, signal: NEVER });
  assert.deepEqual(
    [read.sort(), added.sort(), ebs.puts.sort()],
    [
      [0, 2],
      [0, 2],
      [0, 1, 2],
    ],
  );
  await ebs.completeSnapshot(snapshotId, writtenBlocks(hashes));
});

test("the first failure ends it, when nothing is under way any more", async () => {
  const ebs = new FakeEbs();
  const snapshotId = await pendingSnapshot(ebs);
  let underWay = 0;
  ebs.before = async (call, blockIndex) => {
    if (call !== "putSnapshotBlock") return;
    underWay++;
    await delay(5);
    underWay--;
    if (blockIndex === 3) throw new AwsError("PutSnapshotBlock", "AccessDeniedException", "no");
  };
  const candidates = Array.from({ length: 1000 }, (_, index) => index);
  const blocks = Object.fromEntries(candidates.map((index) => [index, "x"]));
  const upload = uploadBlocks({ ebs, snapshotId, source: { candidates, readBlock: diskOf(blocks) }, signal: NEVER });
  await assert.rejects(upload, { awsCode: "AccessDeniedException" });
  assert.equal(underWay, 0);
  assert.ok(ebs.puts.length < 300, String(ebs.puts.length));
});

test("a cancelled upload ends with the reason", async () => {
  const ebs = new FakeEbs();
  const snapshotId = await pendingSnapshot(ebs);
  const controller = new AbortController();
  ebs.before = () => controller.abort(new Error("stop"));
  const candidates = Array.from({ length: 1000 }, (_, index) => index);
  const blocks = Object.fromEntries(candidates.map((index) => [index, "x"]));
  const source = { candidates, readBlock: diskOf(blocks) };
  await assert.rejects(uploadBlocks({ ebs, snapshotId, source, signal: controller.signal }), /^Error: stop$/);
});
