import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { MIB } from "../../src/base/units.ts";
import { settleBlockPlace } from "../../src/local-cloud/settle-block-place.ts";
import { CloudState } from "../../src/local-cloud/state/cloud-state.ts";
import { type BlockPlace, openDiskStorage } from "../../src/local-cloud/storage/open-disk-storage.ts";
import { lockStore } from "../../src/local-cloud/store-lock.ts";
import { BLOCK_BYTES, type DiskStore, makeDiskStore, snapshot, volume, writeAt } from "../helpers/disk-store.ts";

/** What a daemon does with the store while it runs. */
async function run(store: DiskStore, blocks: BlockPlace, work: Parameters<typeof withStorage>[2]): Promise<void> {
  await using lock = await lockStore(store.storeDirectory, new AbortController().signal);
  await settleBlockPlace(store.storeDirectory, blocks, lock);
  await withStorage(store, blocks, work);
}

async function withStorage(
  { storeDirectory, deviceDirectory }: DiskStore,
  blocks: BlockPlace,
  work: (storage: Awaited<ReturnType<typeof openDiskStorage>>, state: CloudState) => Promise<void>,
): Promise<void> {
  await using storage = await openDiskStorage({ storeDirectory, deviceDirectory, nitro: false, blocks });
  await using state = await CloudState.open(storeDirectory);
  await work(storage, state);
}

test("Blocks in memory are read as those on disk are, and nothing of them is there at the next start", async () => {
  await using store = await makeDiskStore();
  const data = Buffer.alloc(BLOCK_BYTES, "in memory");
  await run(store, "memory", async (storage, state) => {
    state.settings.put("account region", { encryptByDefault: true });
    await storage.createVolume(volume("1"), { sizeBytes: MIB });
    await writeAt(store.diskPath(volume("1")), BLOCK_BYTES, data);
    await storage.createSnapshot(snapshot("1"), volume("1"));
    const [listed] = (await storage.readManifest(snapshot("1"))).blocks;
    using lent = await storage.readBlock(listed?.hash ?? "");
    assert.ok(lent?.data.equals(data));
    await storage.createVolume(volume("2"), { sizeBytes: MIB, snapshotId: snapshot("1") });
    assert.deepEqual(await store.blocks(), []);
  });
  for (const next of ["memory", "disk"] as const) {
    await run(store, next, async (storage, state) => {
      assert.deepEqual(state.settings.values(), []);
      await assert.rejects(storage.readManifest(snapshot("1")), { code: "ERR_NO_SNAPSHOT" });
      await assert.rejects(access(store.diskPath(volume("1"))), { code: "ENOENT" });
    });
  }
  await assert.rejects(access(join(store.storeDirectory, "blocks-in-memory")), { code: "ENOENT" });
});

test("A store that has disks does not get its blocks into memory, and keeps them", async () => {
  await using store = await makeDiskStore();
  await run(store, "disk", async (storage) => storage.createVolume(volume("1"), { sizeBytes: MIB }));
  await assert.rejects(
    run(store, "memory", async () => {}),
    { code: "ERR_STORE_NOT_EMPTY", hint: /--blocks memory --store DIRECTORY$/ },
  );
  await run(store, "disk", async () => {});
  await access(store.diskPath(volume("1")));
});
