import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { heapGrowth } from "../../test/helpers/heap-growth.ts";
import { BlockLog } from "./block-log.ts";
import { AcknowledgedInMemory } from "./upload-blocks.ts";

const START_BYTES = 10;
const sha256 = Buffer.alloc(32, 7);

async function withFile(work: (file: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-log-"));
  try {
    await using file = await open(join(directory, "log"), "w+");
    await work(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("a log says that nothing is missing once it was ended, unless that was taken back", async () => {
  await withFile(async (file) => {
    const log = await BlockLog.open(file, START_BYTES);
    for (const blockIndex of [5, 3]) log.add({ blockIndex, sha256 });
    assert.equal((await BlockLog.open(file, START_BYTES)).isEnded, false);
    await log.end();
    const ended = await BlockLog.open(file, START_BYTES);
    assert.deepEqual([ended.isEnded, ended.count, [...ended.sorted().indexes()]], [true, 2, [3, 5]]);
    await ended.reopen();
    ended.add({ blockIndex: 4, sha256 });
    const reopened = await BlockLog.open(file, START_BYTES);
    assert.deepEqual([reopened.isEnded, [...reopened.sorted().indexes()]], [false, [3, 4, 5]]);
  });
});

// A Set of as many numbers takes some 10 MiB, and cannot have those of more than 8 TiB.
const BLOCK_COUNT = 200_000;
const HEAP_BYTES_MAX = 2 ** 20;

test("which blocks are done takes no heap, however many they are", async () => {
  await withFile(async (file) => {
    const makers = [async () => new AcknowledgedInMemory(), () => BlockLog.open(file, START_BYTES)];
    for (const make of makers) {
      const growth = await heapGrowth(async () => {
        const done = await make();
        for (let blockIndex = 0; blockIndex < BLOCK_COUNT; blockIndex++) done.add({ blockIndex, sha256 });
        assert.ok(done.has(BLOCK_COUNT - 1) && !done.has(BLOCK_COUNT));
        return done;
      });
      assert.ok(growth < HEAP_BYTES_MAX, `${growth} bytes`);
    }
  });
});
