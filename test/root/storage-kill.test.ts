import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { SnapshotId, VolumeId } from "../../src/base/ids.ts";
import { seededRandom } from "../../src/base/random.ts";
import { lockFile } from "../../src/linux/files/file-lock.ts";
import type { FileDiskStorage } from "../../src/local-cloud/storage/open-disk-storage.ts";
import { BLOCK_BYTES, type DiskStore, makeDiskStore, readAt, writeAt } from "../helpers/disk-store.ts";
import {
  after,
  blockOf,
  DISK_BYTES,
  type Disk,
  METHODS,
  type Model,
  type Operation,
  pathOf,
} from "../helpers/storage-campaign.ts";
import { programCommand } from "../helpers/test-program.ts";

const VICTIMS = [...METHODS, "opening"] as const;
const KILLS = 3 * VICTIMS.length;
// About as long as the longest of them takes.
const DELAY_MS_MAX = 40;

test(`${KILLS} kills during all methods lose nothing that was acknowledged, and leave nothing`, async (context) => {
  const seed = Number(process.env["AMIBAKE_TEST_SEED"] ?? Date.now() % 1_000_000);
  context.diagnostic(`seed ${seed}: repeat with AMIBAKE_TEST_SEED=${seed}`);
  const random = seededRandom(seed);
  await using store = await makeDiskStore();
  let model: Model = { volumes: {}, snapshots: {} };
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = VICTIMS[kill % VICTIMS.length] as (typeof VICTIMS)[number];
    const delayMs = random() * DELAY_MS_MAX;
    const outcome = await runUntilKilled(store, model, { seed: seed + kill, victim, delayMs });
    // Commands of the killed process that are under way hold it too.
    await using lock = await lockFile(join(store.storeDirectory, "lock"));
    await using storage = await store.open({ lock });
    model = await verify(store, storage, outcome);
    assert.deepEqual(store.reports, []);
  }
  await using storage = await store.open();
  for (const volumeId of Object.keys(model.volumes) as VolumeId[]) {
    while (!(await storage.detach(volumeId)));
    await storage.deleteVolume(volumeId);
  }
  for (const snapshotId of Object.keys(model.snapshots) as SnapshotId[]) await storage.deleteSnapshot(snapshotId);
  assert.deepEqual(await store.blocks(), []);
  for (const directory of ["volumes", "snapshots", "attachments"]) {
    assert.deepEqual(await readdir(join(store.storeDirectory, directory)), []);
  }
});

interface Outcome {
  /** All that was acknowledged. */
  readonly model: Model;
  /** What had begun when the process was killed. */
  readonly pending: Operation | undefined;
}

/** Runs the campaign and kills it some time after a call of `victim` has begun. */
async function runUntilKilled(
  store: DiskStore,
  start: Model,
  { seed, victim, delayMs }: { seed: number; victim: (typeof VICTIMS)[number]; delayMs: number },
): Promise<Outcome> {
  const places = JSON.stringify({ storeDirectory: store.storeDirectory, deviceDirectory: store.deviceDirectory });
  const [program = "", ...argv] = programCommand("test/fixtures/storage-campaign.ts");
  const child = spawn(program, [...argv, places, JSON.stringify(start), String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let model = start;
  let pending: Operation | undefined;
  let isKilled = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as { opening?: true; begin?: Operation; done?: Operation };
    if (message.done !== undefined) {
      model = after(model, message.done);
      pending = undefined;
    }
    if (message.begin !== undefined) pending = message.begin;
    const isVictim = victim === "opening" ? message.opening : message.begin?.method === victim;
    if (isVictim && !isKilled) {
      isKilled = true;
      void delay(delayMs).then(() => child.kill("SIGKILL"));
    }
  }
  await exited;
  assert.ok(isKilled, "the campaign ended by itself");
  return { model, pending };
}

/** Looks at everything. What was pending may have happened or not; the model says which. */
async function verify(store: DiskStore, storage: FileDiskStorage, { model, pending }: Outcome): Promise<Model> {
  let actual = model;
  if (pending !== undefined && (await hasHappened(store, storage, model, pending))) actual = after(model, pending);
  if (pending?.method === "write") {
    // Cut off in the middle it may be any mixture: it is done again.
    const path = pathOf(actual, pending.volumeId, store);
    await writeAt(path, pending.blockIndex * BLOCK_BYTES, blockOf(pending.seed));
    actual = after(model, pending);
  }
  for (const [volumeId, { disk }] of Object.entries(actual.volumes)) {
    const path = pathOf(actual, volumeId as VolumeId, store);
    assert.ok((await readAt(path, 0, DISK_BYTES)).equals(bytesOf(disk)), `content of ${volumeId}, ${pending?.method}`);
  }
  for (const [snapshotId, disk] of Object.entries(actual.snapshots)) {
    const expected = { sizeBytes: DISK_BYTES, blockCount: disk.filter((seed) => seed !== 0).length };
    assert.deepEqual(await storage.describeSnapshot(snapshotId as SnapshotId), expected);
    await using scratch = await storage.openScratch();
    await storage.exportSnapshot(snapshotId as SnapshotId, join(scratch.path, "disk"));
    const bytes = await readAt(join(scratch.path, "disk"), 0, DISK_BYTES);
    assert.ok(bytes.equals(bytesOf(disk)), `content of ${snapshotId}, ${pending?.method}`);
  }
  const attached = Object.values(actual.volumes).filter(({ device }) => device !== undefined);
  assert.equal((await store.loopDevices()).length, attached.length, `loop devices, ${pending?.method}`);
  assert.equal((await readdir(store.deviceDirectory)).length, attached.length, `device nodes, ${pending?.method}`);
  const seeds = new Set(Object.values(actual.snapshots).flat());
  seeds.delete(0);
  assert.equal((await store.blocks()).length, seeds.size, `blocks, ${pending?.method}`);
  return actual;
}

async function hasHappened(
  store: DiskStore,
  storage: FileDiskStorage,
  model: Model,
  pending: Operation,
): Promise<boolean> {
  const { method } = pending;
  if (method === "createSnapshot" || method === "copySnapshot" || method === "deleteSnapshot") {
    const isThere = await storage.describeSnapshot(pending.snapshotId).then(
      () => true,
      () => false,
    );
    return isThere === (method !== "deleteSnapshot");
  }
  if (method === "createVolume" || method === "deleteVolume") {
    return (await exists(store.diskPath(pending.volumeId))) === (method === "createVolume");
  }
  if (method === "write") return false;
  const device = pathOf(method === "attach" ? after(model, pending) : model, pending.volumeId, store);
  return (await exists(device)) === (method === "attach");
}

function bytesOf(disk: Disk): Buffer {
  return Buffer.concat(disk.map(blockOf));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
