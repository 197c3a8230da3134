import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ZERO_BLOCK, ZERO_BLOCK_HASH, ZERO_BLOCK_SHA256 } from "./zero-block.ts";

test("The hash of a block of zeros is that of a block of zeros", () => {
  const sha256 = createHash("sha256").update(ZERO_BLOCK).digest();
  assert.deepEqual([ZERO_BLOCK_HASH, ZERO_BLOCK_SHA256], [sha256.toString("hex"), sha256]);
});
