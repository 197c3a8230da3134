import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  access,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { deviceNumberOf } from "../../src/linux/devices/device-number.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { DeviceNodeExistsError } from "../../src/local-cloud/storage/disk-storage.ts";
import {
  BLOCK_BYTES,
  MIB,
  makeDiskStore,
  partitionDisk,
  readAt,
  snapshot,
  volume,
  writeAt,
} from "../helpers/disk-store.ts";

test("a snapshot restores the bytes of its volume, in a larger one too", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
  const data = randomBytes(BLOCK_BYTES + 5000);
  await writeAt(store.diskPath(volume("a")), 3 * MIB - 2500, data);
  const content = await storage.createSnapshot(snapshot("a"), volume("a"));
  assert.deepEqual(content, { sizeBytes: 16 * MIB, blockCount: 3 });
  await storage.createVolume(volume("b"), { sizeBytes: 32 * MIB, snapshotId: snapshot("a") });
  assert.deepEqual(await readAt(store.diskPath(volume("b")), 3 * MIB - 2500, data.length), data);
  assert.equal((await stat(store.diskPath(volume("b")))).size, 32 * MIB);
  assert.ok((await stat(store.diskPath(volume("b")))).blocks * 512 <= 3 * BLOCK_BYTES, "the rest is a hole");
});

test("a volume of a size that is no multiple of a block comes back whole", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  const sizeBytes = 2 * BLOCK_BYTES + 4096;
  await storage.createVolume(volume("a"), { sizeBytes });
  const data = randomBytes(sizeBytes);
  await writeAt(store.diskPath(volume("a")), 0, data);
  assert.deepEqual(await storage.createSnapshot(snapshot("a"), volume("a")), { sizeBytes, blockCount: 3 });
  await storage.createVolume(volume("b"), { sizeBytes, snapshotId: snapshot("a") });
  assert.deepEqual(await readFile(store.diskPath(volume("b"))), data);
});

test("snapshots share their blocks, and the last one takes them along", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
  const path = store.diskPath(volume("a"));
  const repeated = randomBytes(BLOCK_BYTES);
  for (const blockIndex of [0, 4, 9]) await writeAt(path, blockIndex * BLOCK_BYTES, repeated);
  await writeAt(path, BLOCK_BYTES, Buffer.alloc(BLOCK_BYTES));
  const first = await storage.createSnapshot(snapshot("a"), volume("a"));
  assert.equal(first.blockCount, 3, "written zeros are no block");
  assert.equal((await store.blocks()).length, 1);
  await writeAt(path, 4 * BLOCK_BYTES, randomBytes(100));
  await storage.createSnapshot(snapshot("b"), volume("a"));
  assert.deepEqual(await storage.copySnapshot(snapshot("c"), snapshot("b")), { sizeBytes: 16 * MIB, blockCount: 3 });
  assert.equal((await store.blocks()).length, 2);
  await storage.deleteSnapshot(snapshot("b"));
  assert.equal((await store.blocks()).length, 2, "the copy still uses them");
  await storage.deleteSnapshot(snapshot("c"));
  assert.equal((await store.blocks()).length, 1);
  await storage.deleteSnapshot(snapshot("a"));
  await storage.deleteSnapshot(snapshot("a"));
  assert.deepEqual(await store.blocks(), []);
  await assert.rejects(storage.describeSnapshot(snapshot("a")), { code: "ERR_NO_SNAPSHOT" });
});

test("createSnapshot() of a volume made from a snapshot stores only what changed", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
  await writeAt(store.diskPath(volume("a")), 0, randomBytes(8 * MIB));
  await storage.createSnapshot(snapshot("a"), volume("a"));
  await storage.createVolume(volume("b"), { sizeBytes: 16 * MIB, snapshotId: snapshot("a") });
  await writeAt(store.diskPath(volume("b")), 3 * MIB + 7, randomBytes(10));
  await storage.createSnapshot(snapshot("b"), volume("b"));
  assert.equal((await store.blocks()).length, 17);
  // The base may go: what the volume was made from is no promise, only a hint.
  await storage.deleteSnapshot(snapshot("a"));
  assert.equal((await store.blocks()).length, 16);
  assert.deepEqual(
    await storage.createSnapshot(snapshot("c"), volume("b")),
    await storage.describeSnapshot(snapshot("b")),
  );
  assert.equal((await store.blocks()).length, 16);
});

test("createSnapshot() reads only what is allocated", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 64 * 1024 * MIB });
  await writeAt(store.diskPath(volume("a")), 50_000 * MIB, randomBytes(4 * MIB));
  const before = await bytesRead();
  const { blockCount } = await storage.createSnapshot(snapshot("a"), volume("a"));
  assert.equal(blockCount, 8);
  assert.ok((await bytesRead()) - before < 6 * MIB);
});

test("a store forgets what no manifest names when it is opened", async () => {
  await using store = await makeDiskStore();
  {
    await using storage = await store.open();
    await storage.createVolume(volume("a"), { sizeBytes: 4 * MIB });
    await writeAt(store.diskPath(volume("a")), 0, randomBytes(MIB));
    await storage.createSnapshot(snapshot("a"), volume("a"));
  }
  const kept = await store.blocks();
  await writeFile(join(store.storeDirectory, "blocks", "00", "ff".repeat(31)), "stray");
  await writeFile(join(store.storeDirectory, "blocks", `${kept[0]}.new`), "half");
  await writeFile(join(store.storeDirectory, "volumes", "vol-b.disk.new"), "half");
  await writeFile(join(store.storeDirectory, "volumes", "vol-b.base"), "of no volume");
  await writeFile(join(store.storeDirectory, "snapshots", "snap-b.manifest.new"), "half");
  await using storage = await store.open();
  assert.deepEqual(await store.blocks(), kept);
  assert.deepEqual(await readdir(join(store.storeDirectory, "volumes")), ["vol-a.disk"]);
  assert.equal((await storage.describeSnapshot(snapshot("a"))).blockCount, 2);
});

test("removeUnknown() deletes what nobody knows of, attached or not", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  for (const name of ["known", "forgotten"]) {
    await storage.createVolume(volume(name), { sizeBytes: 4 * MIB });
    await writeAt(store.diskPath(volume(name)), 0, randomBytes(MIB));
    await storage.createSnapshot(snapshot(name), volume(name));
  }
  await storage.attach(volume("forgotten"), "/dev/sdf");
  await storage.removeUnknown((id) => id.endsWith("-known"));
  assert.deepEqual(await readdir(join(store.storeDirectory, "volumes")), ["vol-known.disk"]);
  assert.deepEqual(await readdir(join(store.storeDirectory, "snapshots")), ["snap-known.manifest"]);
  assert.deepEqual(await readdir(store.deviceDirectory), []);
  assert.equal((await store.blocks()).length, 2);
});

test("deleteSnapshot(), twice at once, takes the uses of blocks back once", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 4 * MIB });
  await writeAt(store.diskPath(volume("a")), 0, randomBytes(MIB));
  await storage.createSnapshot(snapshot("a"), volume("a"));
  await storage.copySnapshot(snapshot("b"), snapshot("a"));
  await storage.copySnapshot(snapshot("c"), snapshot("a"));
  await Promise.all([storage.deleteSnapshot(snapshot("a")), storage.deleteSnapshot(snapshot("a"))]);
  await storage.deleteSnapshot(snapshot("b"));
  assert.equal((await store.blocks()).length, 2);
});

test("a damaged store says which file is damaged", async () => {
  await using store = await makeDiskStore();
  {
    await using storage = await store.open();
    await storage.createVolume(volume("a"), { sizeBytes: 4 * MIB });
    await writeAt(store.diskPath(volume("a")), 0, randomBytes(BLOCK_BYTES));
    await storage.createSnapshot(snapshot("a"), volume("a"));
    const block = join(store.storeDirectory, "blocks", (await store.blocks())[0] ?? "");
    await writeAt(block, 1234, Buffer.from("rotten"));
    await assert.rejects(storage.createVolume(volume("b"), { sizeBytes: 4 * MIB, snapshotId: snapshot("a") }), {
      code: "ERR_STORE_DAMAGED",
      message: /^Cannot read the block ".*": its content has changed$/,
    });
    await rm(block);
    await assert.rejects(storage.createVolume(volume("b"), { sizeBytes: 4 * MIB, snapshotId: snapshot("a") }), {
      code: "ERR_STORE_DAMAGED",
      message: /^Cannot read the block ".*": it is missing or empty$/,
    });
    assert.deepEqual((await readdir(join(store.storeDirectory, "volumes"))).sort(), ["vol-a.disk"]);
  }
  await writeFile(join(store.storeDirectory, "snapshots", "snap-a.manifest"), "amibake-snapshot-1 99 3\nshort");
  await assert.rejects(store.open(), { code: "ERR_STORE_DAMAGED" });
});

test("attach() makes the nodes of a Xen instance, and detach() takes them and the loop device away", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
  await partitionDisk(store.diskPath(volume("a")));
  const devicePath = join(store.deviceDirectory, "xvdf");
  assert.deepEqual(await storage.attach(volume("a"), "/dev/sdf"), { devicePath });
  assert.deepEqual((await readdir(store.deviceDirectory)).sort(), ["xvdf", "xvdf1", "xvdf2"]);
  assert.equal((await store.loopDevices()).length, 1);
  const { stdout } = await runCommand([
    "blkid",
    "--probe",
    "--output",
    "value",
    "--match-tag",
    "TYPE",
    `${devicePath}2`,
  ]);
  assert.equal(stdout.toString().trim(), "ext4");
  assert.deepEqual(await storage.attach(volume("a"), "/dev/sdf"), { devicePath }, "once more is no change");
  await assert.rejects(storage.attach(volume("a"), "/dev/sdg"), { code: "ERR_VOLUME_ATTACHED" });
  await assert.rejects(storage.deleteVolume(volume("a")), { code: "ERR_VOLUME_ATTACHED" });
  await assert.rejects(storage.createVolume(volume("a"), { sizeBytes: MIB }), { code: "ERR_VOLUME_ATTACHED" });
  assert.equal(await storage.detach(volume("a")), true);
  assert.equal(await storage.detach(volume("a")), true);
  assert.deepEqual(await store.loopDevices(), []);
  assert.deepEqual(await readdir(store.deviceDirectory), []);
});

for (const [asked, made] of [
  ["/dev/xvdba", "xvdba"],
  ["xvdh", "xvdh"],
  ["/dev/sdf1", "xvdf1"],
]) {
  test(`attach() as ${asked} makes ${made}`, async () => {
    await using store = await makeDiskStore();
    await using storage = await store.open();
    await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
    await partitionDisk(store.diskPath(volume("a")));
    await storage.attach(volume("a"), asked ?? "");
    const separator = made === "xvdf1" ? "p" : "";
    assert.deepEqual((await readdir(store.deviceDirectory)).sort(), [
      made,
      `${made}${separator}1`,
      `${made}${separator}2`,
    ]);
    await storage.detach(volume("a"));
  });
}

for (const [what, table, numbers] of [
  ["Debian's cloud images", "label: gpt\n1 : size=4M\n14 : size=1M\n15 : size=2M\n", [1, 14, 15]],
  ["logical partitions", "label: dos\n1 : size=2M\n2 : size=10M,type=5\n5 : size=2M\n6 : size=2M\n", [1, 2, 5, 6]],
] as const) {
  test(`attach() finds the partitions of ${what}, gaps in their numbers or not`, async () => {
    await using store = await makeDiskStore();
    await using storage = await store.open();
    await storage.createVolume(volume("a"), { sizeBytes: 32 * MIB });
    await runCommand(["sfdisk", "--quiet", store.diskPath(volume("a"))], { input: table });
    const nodes = ["xvdf", ...numbers.map((number) => `xvdf${number}`)].sort();
    await storage.attach(volume("a"), "/dev/sdf");
    assert.deepEqual((await readdir(store.deviceDirectory)).sort(), nodes);
    await storage[Symbol.asyncDispose]();
    await using again = await store.open();
    assert.deepEqual((await readdir(store.deviceDirectory)).sort(), nodes);
    assert.equal(await again.detach(volume("a")), true);
  });
}

test("attach() leaves out a partition that reaches beyond the disk, and makes the others", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 32 * MIB });
  await runCommand(["sfdisk", "--quiet", store.diskPath(volume("a"))], { input: "label: dos\nsize=4M\nsize=20M\n" });
  await truncate(store.diskPath(volume("a")), 16 * MIB);
  await storage.attach(volume("a"), "/dev/sdf");
  assert.deepEqual((await readdir(store.deviceDirectory)).sort(), ["xvdf", "xvdf1"]);
  assert.equal(await storage.detach(volume("a")), true);
});

test("attach() on a Nitro instance makes NVMe names, and links that carry the volume id", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open({ nitro: true });
  for (const name of ["0a", "0b"]) {
    await storage.createVolume(volume(name), { sizeBytes: 16 * MIB });
    await partitionDisk(store.diskPath(volume(name)));
  }
  const disks = await Promise.all([storage.attach(volume("0a"), "/dev/sdf"), storage.attach(volume("0b"), "/dev/sdg")]);
  const nodes = (await readdir(store.deviceDirectory)).sort();
  assert.deepEqual(nodes, ["disk", "nvme1n1", "nvme1n1p1", "nvme1n1p2", "nvme2n1", "nvme2n1p1", "nvme2n1p2"]);
  const byId = join(store.deviceDirectory, "disk/by-id");
  const prefix = "nvme-Amazon_Elastic_Block_Store_vol";
  assert.equal((await readdir(byId)).length, 6);
  assert.equal(await realpath(join(byId, `${prefix}0a`)), disks[0]?.devicePath);
  assert.equal(await realpath(join(byId, `${prefix}0b-part2`)), `${disks[1]?.devicePath}p2`);
  assert.match(await readlink(join(byId, `${prefix}0a`)), /^\.\.\/\.\.\/nvme\dn1$/);
  assert.equal(await storage.detach(volume("0a")), true);
  assert.equal((await readdir(byId)).length, 3);
  assert.equal(await storage.detach(volume("0b")), true);
});

test("attach() works in /dev itself", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open({ nitro: true, deviceDirectory: "/dev" });
  const volumeId = volume(`0${randomBytes(8).toString("hex")}`);
  await storage.createVolume(volumeId, { sizeBytes: 16 * MIB });
  const { devicePath } = await storage.attach(volumeId, "/dev/sdf");
  const link = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;
  assert.equal(await realpath(link), devicePath);
  assert.equal(await storage.detach(volumeId), true);
  await assert.rejects(lstat(link), { code: "ENOENT" });
  await assert.rejects(lstat(devicePath), { code: "ENOENT" });
});

for (const taken of ["xvdf", "xvdf2"]) {
  test(`attach() refuses when ${taken} is there already, and leaves it and nothing else`, async () => {
    await using store = await makeDiskStore();
    await using storage = await store.open();
    await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
    await partitionDisk(store.diskPath(volume("a")));
    const path = join(store.deviceDirectory, taken);
    await runCommand(["mknod", path, "b", "7", "250"]);
    await assert.rejects(storage.attach(volume("a"), "/dev/sdf"), (error) => {
      assert.ok(error instanceof DeviceNodeExistsError);
      assert.equal(error.message, `Cannot make the device node "${path}": it exists already`);
      return error.devicePath === path;
    });
    assert.deepEqual(await readdir(store.deviceDirectory), [taken]);
    assert.equal(deviceNumberOf((await stat(path)).rdev), "7:250");
    assert.deepEqual(await store.loopDevices(), []);
    assert.deepEqual(await readdir(join(store.storeDirectory, "attachments")), []);
    await rm(path);
    await storage.attach(volume("a"), "/dev/sdf");
    await storage.detach(volume("a"));
  });
}

test("attach() leaves nothing when there is no volume, no loop device to be had or no EC2 device name", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await assert.rejects(storage.attach(volume("a"), "/dev/sdf"), { code: "ERR_NO_VOLUME" });
  // losetup refuses a directory.
  await mkdir(store.diskPath(volume("a")));
  await assert.rejects(storage.attach(volume("a"), "/dev/sdf"), { name: "CommandError" });
  await rm(store.diskPath(volume("a")), { recursive: true });
  await storage.createVolume(volume("a"), { sizeBytes: MIB });
  for (const name of ["/dev/../etc/passwd", "/dev/sd", "/dev/nvme1n1"]) {
    await assert.rejects(storage.attach(volume("a"), name), { code: "ERR_DEVICE_NAME" });
  }
  assert.deepEqual(await readdir(join(store.storeDirectory, "attachments")), []);
  assert.deepEqual(await store.loopDevices(), []);
});

test("createSnapshot() of an attached volume holds what was flushed to the device", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
  await partitionDisk(store.diskPath(volume("a")));
  const { devicePath } = await storage.attach(volume("a"), "/dev/sdf");
  const data = randomBytes(4096);
  // Not synced by us: it is in the page cache of the partition's node.
  {
    await using device = await open(`${devicePath}1`, "r+");
    await device.write(data, 0, data.length, MIB);
  }
  await storage.createSnapshot(snapshot("a"), volume("a"));
  await storage.createVolume(volume("b"), { sizeBytes: 16 * MIB, snapshotId: snapshot("a") });
  assert.deepEqual(await readAt(store.diskPath(volume("b")), 2 * MIB, 4096), data);
  assert.equal(await storage.detach(volume("a")), true);
});

test("detach() refuses while a partition is mounted, in another mount namespace too", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
  await partitionDisk(store.diskPath(volume("a")));
  const { devicePath } = await storage.attach(volume("a"), "/dev/sdf");
  const mountpoint = await mkdtemp(join(tmpdir(), "amibake-mount-"));
  const script = `mount ${devicePath}2 ${mountpoint} && echo mounted && read -r line`;
  const holder = spawn("unshare", ["--mount", "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(holder.stdout, "data");
    assert.equal(await storage.detach(volume("a")), false);
    assert.deepEqual((await readdir(store.deviceDirectory)).sort(), ["xvdf", "xvdf1", "xvdf2"]);
    assert.equal((await store.loopDevices()).length, 1);
    // What closes now is reported and taken back by the next opening.
    await storage[Symbol.asyncDispose]();
    assert.match(store.reports.join("\n"), /^".*\/xvdf" of volume "vol-a" is in use, so it stays$/);
    await using again = await store.open();
    assert.equal(await again.detach(volume("a")), false);
    holder.stdin.end();
    await once(holder, "exit");
    assert.equal(await again.detach(volume("a")), true);
  } finally {
    holder.kill("SIGKILL");
    await rm(mountpoint, { recursive: true });
  }
});

for (const node of ["xvdf", "xvdf1"]) {
  test(`detach() refuses while a process has ${node} open, and changes nothing`, async () => {
    await using store = await makeDiskStore();
    await using storage = await store.open();
    await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
    await partitionDisk(store.diskPath(volume("a")));
    await storage.attach(volume("a"), "/dev/sdf");
    const path = join(store.deviceDirectory, node);
    const holder = spawn("sh", ["-c", `exec 3<${path} && echo open && read -r line`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    assert.equal(await storage.detach(volume("a")), false);
    assert.deepEqual((await readdir(store.deviceDirectory)).sort(), ["xvdf", "xvdf1", "xvdf2"]);
    holder.stdin.end();
    await once(holder, "exit");
    assert.equal(await storage.detach(volume("a")), true);
  });
}

test("closing gives the devices back, and opening makes them anew", async () => {
  await using store = await makeDiskStore();
  const data = randomBytes(4096);
  {
    await using storage = await store.open();
    await storage.createVolume(volume("a"), { sizeBytes: 16 * MIB });
    await partitionDisk(store.diskPath(volume("a")));
    const { devicePath } = await storage.attach(volume("a"), "/dev/sdf");
    await writeAt(devicePath, 12 * MIB, data);
  }
  assert.deepEqual(await store.loopDevices(), []);
  assert.deepEqual(await readdir(store.deviceDirectory), []);
  await using storage = await store.open();
  assert.deepEqual((await readdir(store.deviceDirectory)).sort(), ["xvdf", "xvdf1", "xvdf2"]);
  assert.deepEqual(await readAt(join(store.deviceDirectory, "xvdf"), 12 * MIB, 4096), data);
  assert.equal(await storage.detach(volume("a")), true);
});

test("opening takes devices back, never removes a node that became somebody else's, and says so", async () => {
  await using store = await makeDiskStore();
  const foreign = join(store.deviceDirectory, "xvdf1");
  {
    const killed = await store.open();
    await killed.createVolume(volume("a"), { sizeBytes: 16 * MIB });
    await partitionDisk(store.diskPath(volume("a")));
    await killed.attach(volume("a"), "/dev/sdf");
    // As if the host had been started again, and another disk had taken the name.
    const [loop = ""] = await store.loopDevices();
    await runCommand(["partx", "--delete", loop]);
    await runCommand(["losetup", "--detach", loop]);
    await rm(foreign);
    await runCommand(["mknod", foreign, "b", "7", "250"]);
  }
  {
    await using storage = await store.open();
    assert.match(store.reports.join("\n"), /^Cannot make the device of volume "vol-a" anew$/);
    assert.deepEqual(await readdir(store.deviceDirectory), ["xvdf1"]);
    assert.deepEqual(await store.loopDevices(), []);
    assert.equal(await storage.detach(volume("a")), true);
  }
  assert.equal(deviceNumberOf((await stat(foreign)).rdev), "7:250");
  await rm(foreign);
});

test("two stores on one host do not disturb each other", async () => {
  await using first = await makeDiskStore();
  await using second = await makeDiskStore();
  await using one = await first.open();
  await using two = await second.open({ deviceDirectory: first.deviceDirectory });
  for (const storage of [one, two]) await storage.createVolume(volume("a"), { sizeBytes: 4 * MIB });
  const outcomes = await Promise.allSettled([one.attach(volume("a"), "/dev/sdf"), two.attach(volume("a"), "/dev/sdf")]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const refused = outcomes.find((outcome) => outcome.status === "rejected");
  assert.ok(refused?.reason instanceof DeviceNodeExistsError);
  const [winner, loser] = outcomes[0]?.status === "fulfilled" ? [one, two] : [two, one];
  await loser.attach(volume("a"), "/dev/sdg");
  // A passing look of somebody else at the loop device is enough for a "not yet".
  while (!(await loser.detach(volume("a")))) await delay(10);
  await access(join(first.deviceDirectory, "xvdf"));
  while (!(await winner.detach(volume("a")))) await delay(10);
});

test("many volumes at once are made, attached, stored and removed", async () => {
  await using store = await makeDiskStore();
  await using storage = await store.open();
  await storage.createVolume(volume("base"), { sizeBytes: 16 * MIB });
  await partitionDisk(store.diskPath(volume("base")));
  await storage.createSnapshot(snapshot("base"), volume("base"));
  const baseBlocks = (await store.blocks()).length;
  const shared = randomBytes(BLOCK_BYTES);
  const builds = [..."abcdefgh"].map(async (letter) => {
    const volumeId = volume(letter);
    await storage.createVolume(volumeId, { sizeBytes: 16 * MIB, snapshotId: snapshot("base") });
    const { devicePath } = await storage.attach(volumeId, `/dev/sd${letter}`);
    await writeAt(devicePath, 12 * MIB, shared);
    while (!(await storage.detach(volumeId))) await delay(10);
    await storage.createSnapshot(snapshot(letter), volumeId);
    await storage.deleteVolume(volumeId);
  });
  await Promise.all(builds);
  assert.equal((await store.blocks()).length, baseBlocks + 1);
  await Promise.all([..."abcdefgh"].map((letter) => storage.deleteSnapshot(snapshot(letter))));
  assert.equal((await store.blocks()).length, baseBlocks);
});

async function bytesRead(): Promise<number> {
  const [, count] = /^rchar: (\d+)$/m.exec(await readFile("/proc/self/io", "utf8")) ?? [];
  return Number(count);
}
