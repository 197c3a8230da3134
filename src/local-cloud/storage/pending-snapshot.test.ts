import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PendingSnapshot } from "./pending-snapshot.ts";

const HASHES = ["a", "b", "c", "d", "e"].map((digit) => digit.repeat(64));
const [A = "", B = "", C = "", D = "", E = ""] = HASHES;
const BASE = {
  sizeBytes: 1024 ** 3,
  blocks: [
    { blockIndex: 0, hash: A },
    { blockIndex: 9, hash: B },
  ],
};

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-pending-"));
  try {
    await work(join(directory, "snap-1.pending"));
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("Puts are on top of the base, the last of each index, and are there again after an opening", () =>
  withPath(async (path) => {
    {
      await using pending = await PendingSnapshot.create(path, BASE);
      assert.deepEqual(await Promise.all([9, 3].map((blockIndex) => pending.put({ blockIndex, hash: C }))), [
        undefined,
        undefined,
      ]);
      assert.equal(await pending.put({ blockIndex: 3, hash: D }), C, "the put that it replaces");
    }
    await using opened = await PendingSnapshot.open(path);
    assert.deepEqual(opened.puts(), [
      { blockIndex: 3, hash: D },
      { blockIndex: 9, hash: C },
    ]);
    assert.deepEqual(opened.manifest(), {
      sizeBytes: BASE.sizeBytes,
      blocks: [
        { blockIndex: 0, hash: A },
        { blockIndex: 3, hash: D },
        { blockIndex: 9, hash: C },
      ],
    });
    assert.deepEqual([opened.replaced(), opened.hashes().toSorted()], [[B], [A, B, C, D]]);
  }));

test("A put is in the file before it is answered; those that come together are written together", () =>
  withPath(async (path) => {
    await using pending = await PendingSnapshot.create(path, BASE);
    const { length: startBytes } = await readFile(path);
    const sizes = Array.from({ length: 100 }, async (_, blockIndex) => {
      await pending.put({ blockIndex, hash: E });
      const bytes = await readFile(path);
      assert.ok(bytes.length >= startBytes + (blockIndex + 1) * 40, `put ${blockIndex}`);
      return bytes.length;
    });
    const seen = new Set(await Promise.all(sizes));
    assert.ok(seen.size < 10, `${seen.size} writes`);
  }));

test("A torn record is dropped at every place it can be cut, and what follows is written behind the whole ones", () =>
  withPath(async (path) => {
    {
      await using pending = await PendingSnapshot.create(path, BASE);
      await pending.put({ blockIndex: 1, hash: C });
    }
    const kept = await readFile(path);
    {
      await using pending = await PendingSnapshot.open(path);
      await pending.put({ blockIndex: 2, hash: D });
    }
    const torn = (await readFile(path)).subarray(kept.length);
    assert.equal(torn.length, 40);
    for (let cut = 0; cut < torn.length; cut++) {
      await writeFile(path, kept);
      await appendFile(path, torn.subarray(0, cut));
      {
        await using pending = await PendingSnapshot.open(path);
        assert.deepEqual(pending.puts(), [{ blockIndex: 1, hash: C }]);
        await pending.put({ blockIndex: 7, hash: E });
      }
      await using again = await PendingSnapshot.open(path);
      assert.deepEqual(again.puts(), [
        { blockIndex: 1, hash: C },
        { blockIndex: 7, hash: E },
      ]);
    }
    // As a power failure may leave it: long enough, and not what was written.
    await writeFile(path, Buffer.concat([kept, Buffer.alloc(80)]));
    await using pending = await PendingSnapshot.open(path);
    assert.deepEqual(pending.puts(), [{ blockIndex: 1, hash: C }]);
  }));

test("A file that does not begin with a manifest is damaged", () =>
  withPath(async (path) => {
    await writeFile(path, "amibake-snapshot-1 1024 2\n");
    await assert.rejects(PendingSnapshot.open(path), { code: "ERR_STORE_DAMAGED" });
  }));
