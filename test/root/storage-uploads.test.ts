// Snapshots that are written block by block, on real files.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { GIB } from "../../src/base/units.ts";
import type { FileDiskStorage } from "../../src/local-cloud/storage/open-disk-storage.ts";
import { BLOCK_BYTES, type DiskStore, makeDiskStore, readAt, snapshot, volume } from "../helpers/disk-store.ts";

const ZERO = createHash("sha256").update(Buffer.alloc(BLOCK_BYTES)).digest("hex");
const PARENT = snapshot("parent");
const CHILD = snapshot("child");

function block(text: string): { hash: string; data: Buffer } {
  const data = text === "" ? Buffer.alloc(BLOCK_BYTES) : Buffer.alloc(BLOCK_BYTES, text);
  return { hash: createHash("sha256").update(data).digest("hex"), data };
}

async function put(storage: FileDiskStorage, id: typeof PARENT, blocks: Record<number, string>): Promise<void> {
  const puts = Object.entries(blocks).map(async ([index, text]) => {
    const { hash, data } = block(text);
    assert.equal(await storage.putBlock(id, { blockIndex: Number(index), hash }, data), true);
  });
  await Promise.all(puts);
}

/** The texts of a snapshot's blocks, read from where they are kept. */
async function contentOf(storage: FileDiskStorage, id: typeof PARENT): Promise<Record<number, string>> {
  const { blocks } = await storage.readManifest(id);
  const entries = blocks.map(async ({ blockIndex, hash }) => {
    using lent = await storage.readBlock(hash);
    assert.ok(lent !== undefined);
    const text = lent.data.toString("utf8", 0, 1).replace("\0", "");
    assert.ok(lent.data.equals(block(text).data));
    return [blockIndex, text] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function writeParent(storage: FileDiskStorage): Promise<void> {
  await storage.startSnapshot(PARENT, { sizeBytes: GIB });
  await put(storage, PARENT, { 0: "a", 1: "b", 2: "c", 7: "a" });
  await storage.sealSnapshot(PARENT, () => {});
}

async function assertFiles(store: DiskStore, names: readonly string[], texts: readonly string[]): Promise<void> {
  assert.deepEqual((await readdir(join(store.storeDirectory, "snapshots"))).toSorted(), names.toSorted());
  const blocks = (await store.blocks()).map((name) => name.replace("/", ""));
  assert.deepEqual(blocks.toSorted(), texts.map((text) => block(text).hash).toSorted());
}

test("What was put is there after an opening, goes on being written, and is kept once", async () => {
  await using store = await makeDiskStore();
  {
    await using storage = await store.open();
    await writeParent(storage);
    await storage.startSnapshot(CHILD, { sizeBytes: 2 * GIB, parentId: PARENT });
    await put(storage, CHILD, { 1: "x" });
    await put(storage, CHILD, { 1: "B", 2: "", 9: "a" });
  }
  await assertFiles(store, ["snap-parent.manifest", "snap-child.pending"], ["a", "b", "c", "B"]);
  await using storage = await store.open();
  assert.equal(storage.isWritten(CHILD), true);
  await put(storage, CHILD, { 4095: "d" });
  const seen: unknown[] = [];
  const content = await storage.sealSnapshot(CHILD, (puts) => void seen.push(...puts.map((each) => each.blockIndex)));
  assert.deepEqual([seen, content], [[1, 2, 9, 4095], { sizeBytes: 2 * GIB, blockCount: 5 }]);
  assert.equal(storage.isWritten(CHILD), false);
  assert.equal(await storage.putBlock(CHILD, { blockIndex: 0, hash: block("z").hash }, block("z").data), false);
  assert.deepEqual(await contentOf(storage, CHILD), { 0: "a", 1: "B", 2: "", 7: "a", 9: "a", 4095: "d" });
  await assertFiles(store, ["snap-parent.manifest", "snap-child.manifest"], ["a", "b", "c", "B", "d"]);
  await storage.deleteSnapshot(PARENT);
  await assertFiles(store, ["snap-child.manifest"], ["a", "B", "d"]);
  await storage.deleteSnapshot(CHILD);
  await assertFiles(store, [], []);
});

test("A check that fails leaves a snapshot as it was; deleting it while it is written leaves nothing of it", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await writeParent(storage);
  await storage.startSnapshot(CHILD, { sizeBytes: GIB, parentId: PARENT });
  await put(storage, CHILD, { 1: "x" });
  const check = () => {
    throw new Error("the count is wrong");
  };
  await assert.rejects(storage.sealSnapshot(CHILD, check), /the count is wrong/);
  await put(storage, CHILD, { 3: "y" });
  await assert.rejects(storage.readManifest(CHILD), { code: "ERR_NO_SNAPSHOT" });
  await storage.deleteSnapshot(CHILD);
  await assertFiles(store, ["snap-parent.manifest"], ["a", "b", "c"]);
  assert.deepEqual(await contentOf(storage, PARENT), { 0: "a", 1: "b", 2: "c", 7: "a" });
});

test("Killed while it is sealed, a snapshot is sealed; what nobody knows of goes", async () => {
  await using store = await makeDiskStore();
  const pending = join(store.storeDirectory, "snapshots", "snap-parent.pending");
  {
    await using storage = await store.open();
    await writeParent(storage);
    // As it is between the manifest and the removal.
    await writeFile(pending, "");
    await storage.startSnapshot(CHILD, { sizeBytes: GIB });
    await put(storage, CHILD, { 0: "y" });
  }
  await using storage = await store.open();
  assert.equal(storage.isWritten(PARENT), false);
  await storage.removeUnknown((id) => id === PARENT);
  await assertFiles(store, ["snap-parent.manifest"], ["a", "b", "c"]);
});

test("Blocks of zeros that were put have no file; a volume of them has holes", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.startSnapshot(PARENT, { sizeBytes: GIB });
  await put(storage, PARENT, { 0: "", 1: "q", 5: "" });
  assert.deepEqual(await storage.sealSnapshot(PARENT, () => {}), { sizeBytes: GIB, blockCount: 1 });
  assert.deepEqual(
    (await storage.readManifest(PARENT)).blocks.map(({ hash }) => hash === ZERO),
    [true, false, true],
  );
  await storage.createVolume(volume("1"), { sizeBytes: GIB, snapshotId: PARENT });
  const path = store.diskPath(volume("1"));
  assert.deepEqual(await readAt(path, BLOCK_BYTES, BLOCK_BYTES), block("q").data);
  assert.deepEqual(await readAt(path, 0, BLOCK_BYTES), block("").data);
  await storage.createSnapshot(CHILD, volume("1"));
  assert.deepEqual(await contentOf(storage, CHILD), { 1: "q" });
  await storage.copySnapshot(snapshot("copy"), PARENT);
  await storage.deleteSnapshot(PARENT);
  assert.deepEqual(await contentOf(storage, snapshot("copy")), { 0: "", 1: "q", 5: "" });
  await storage.deleteVolume(volume("1"));
});

test("A block that is being read stays until it was read, though its snapshot is deleted", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await writeParent(storage);
  const { hash } = block("b");
  {
    using lent = await storage.readBlock(hash);
    await storage.deleteSnapshot(PARENT);
    assert.ok(lent?.data.equals(block("b").data));
  }
  assert.equal(await storage.readBlock(hash), undefined);
});

test("A damaged block is found when it is read", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await writeParent(storage);
  const { hash } = block("c");
  await writeFile(join(store.storeDirectory, "blocks", hash.slice(0, 2), hash.slice(2)), block("d").data);
  await assert.rejects(storage.readBlock(hash), { code: "ERR_STORE_DAMAGED", message: /its content has changed$/ });
});
