import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeDiskStorage } from "../../../test/helpers/fake-disk-storage.ts";
import type { SnapshotId, VolumeId } from "../../base/ids.ts";
import { exclusiveStorage } from "./exclusive-storage.ts";

const VOLUME = "vol-1" as VolumeId;
const SNAPSHOTS = ["snap-1", "snap-2", "snap-3"] as SnapshotId[];

test("Calls for one volume go one after the other, as asked; those for others side by side", async () => {
  const fake = new FakeDiskStorage();
  const storage = exclusiveStorage(fake);
  await Promise.all([
    storage.createVolume(VOLUME, { sizeBytes: 1024 }),
    ...SNAPSHOTS.map((id) => storage.createSnapshot(id, VOLUME)),
    storage.attach(VOLUME, "/dev/sdf"),
    storage.detach(VOLUME),
    storage.deleteVolume(VOLUME),
    storage.createVolume("vol-2" as VolumeId, { sizeBytes: 1024 }),
  ]);
  assert.deepEqual([[...fake.volumes.keys()], [...fake.snapshots.keys()]], [["vol-2"], SNAPSHOTS]);
});

test("A call that fails does not stop the next one", async () => {
  const storage = exclusiveStorage(new FakeDiskStorage());
  const results = await Promise.allSettled([
    storage.attach(VOLUME, "/dev/sdf"),
    storage.createVolume(VOLUME, { sizeBytes: 1024 }),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "fulfilled"],
  );
});
