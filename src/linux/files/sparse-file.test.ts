import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { blocksOf, dataExtents, eachBlockOf } from "./sparse-file.ts";

const MIB = 1024 ** 2;

test("dataExtents() finds the data of a file of 10 GiB", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-sparse-"));
  try {
    await using file = await open(join(directory, "disk"), "w+");
    await file.truncate(10 * 1024 * MIB);
    assert.deepEqual(await dataExtents(file), []);
    const data = Buffer.alloc(MIB, 1);
    for (const startMib of [1, 5, 9000]) await file.write(data, 0, data.length, startMib * MIB);
    assert.deepEqual(
      await dataExtents(file),
      [1, 5, 9000].map((startMib) => ({ startBytes: startMib * MIB, endBytes: (startMib + 1) * MIB })),
    );
    await file.write(data, 0, data.length, (10 * 1024 - 1) * MIB);
    assert.deepEqual((await dataExtents(file)).at(-1), {
      startBytes: (10 * 1024 - 1) * MIB,
      endBytes: 10 * 1024 * MIB,
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("dataExtents() of an empty file is empty", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-sparse-"));
  try {
    await using file = await open(join(directory, "disk"), "w+");
    assert.deepEqual(await dataExtents(file), []);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("blocksOf() names each block once", () => {
  const extents = [
    { startBytes: 0, endBytes: 1 },
    { startBytes: 8, endBytes: 12 },
    { startBytes: 14, endBytes: 31 },
    { startBytes: 99, endBytes: 100 },
  ];
  assert.deepEqual(blocksOf(extents, 10), [0, 1, 2, 3, 9]);
});

test("eachBlockOf() lists no more than it is asked for", () => {
  const [first, second] = eachBlockOf([{ startBytes: 25, endBytes: 2 ** 52 }], 10);
  assert.deepEqual([first, second], [2, 3]);
});
