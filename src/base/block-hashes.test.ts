import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockHashes, BlockHashList } from "./block-hashes.ts";
import { seededRandom } from "./random.ts";
import { decodeManifest, encodeManifest } from "./snapshot-manifest.ts";

const hash = (fill: number) => Buffer.alloc(32, fill);
const entry = (blockIndex: number, fill = blockIndex % 251) => ({ blockIndex, sha256: hash(fill) });

test("hashes that are added in any order are found by index, and ascend", () => {
  const random = seededRandom(7);
  const indexes = Array.from({ length: 500 }, (_, position) => position * 3 + 2 ** 31);
  const shuffled = indexes.map((index) => ({ index, at: random() })).sort((a, b) => a.at - b.at);
  const hashes = BlockHashes.from(shuffled.map(({ index }) => entry(index)));
  assert.deepEqual([...hashes.indexes()], indexes);
  for (const index of indexes) assert.deepEqual(hashes.get(index), hash(index % 251));
  for (const index of [0, 2 ** 31 + 1, 2 ** 31 + 1500, 2 ** 32 - 1]) assert.equal(hashes.get(index), undefined);
});

test("the later of two hashes of a block counts, and what was sorted does not change", () => {
  const list = new BlockHashList();
  for (const added of [entry(5, 1), entry(4, 2), entry(5, 3)]) list.add(added);
  const sorted = list.sorted();
  list.add(entry(4, 4));
  assert.equal(list.count, 4);
  assert.deepEqual([...sorted], [entry(4, 2), entry(5, 3)]);
});

test("packed entries are taken only whole and ascending", () => {
  const { bytes } = BlockHashes.from([entry(1), entry(2)]);
  assert.deepEqual([...(BlockHashes.packed(bytes) ?? [])], [entry(1), entry(2)]);
  assert.equal(BlockHashes.packed(bytes.subarray(1)), undefined);
  assert.equal(BlockHashes.packed(Buffer.concat([bytes, bytes])), undefined);
  assert.deepEqual(BlockHashes.packed(Buffer.alloc(0))?.count, 0);
});

test("a manifest comes back as it was, and nothing else is one", () => {
  const manifest = { sizeBytes: 64 * 1024 ** 4, blocks: BlockHashes.from([entry(0), entry(134_217_727)]) };
  const bytes = encodeManifest(manifest);
  assert.equal(bytes.toString("latin1", 0, bytes.indexOf("\n")), "amibake-snapshot-1 70368744177664 2");
  assert.deepEqual(decodeManifest(bytes), manifest);
  for (let length = 0; length < bytes.length; length++)
    assert.equal(decodeManifest(bytes.subarray(0, length)), undefined);
  assert.equal(decodeManifest(Buffer.concat([bytes, Buffer.alloc(1)])), undefined);
  assert.equal(decodeManifest(Buffer.from("amibake-snapshot-2 0 0\n")), undefined);
  assert.deepEqual(decodeManifest(encodeManifest({ sizeBytes: 0, blocks: BlockHashes.NONE }))?.blocks.count, 0);
});
