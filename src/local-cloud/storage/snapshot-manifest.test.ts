import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeManifest, encodeManifest } from "./snapshot-manifest.ts";

const HASH = "0123456789abcdef".repeat(4);

test("a manifest is read as it was written", () => {
  const manifest = {
    sizeBytes: 64 * 1024 ** 4,
    blocks: [
      { blockIndex: 0, hash: HASH },
      { blockIndex: 134_217_727, hash: "0a".repeat(32) },
    ],
  };
  assert.deepEqual(decodeManifest(encodeManifest(manifest), "m"), manifest);
  const empty = { sizeBytes: 0, blocks: [] };
  assert.deepEqual(decodeManifest(encodeManifest(empty), "m"), empty);
});

test("decodeManifest() refuses every prefix of a manifest, and what is none", () => {
  const bytes = encodeManifest({ sizeBytes: 1, blocks: [{ blockIndex: 0, hash: HASH }] });
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeManifest(bytes.subarray(0, length), "m"), { code: "ERR_STORE_DAMAGED" });
  }
  assert.throws(() => decodeManifest(Buffer.concat([bytes, bytes]), "m"), { code: "ERR_STORE_DAMAGED" });
  assert.throws(() => decodeManifest(Buffer.from("another-format 1 0\n"), "m"), {
    message: 'Cannot read the snapshot manifest "m": it is not complete',
  });
});
