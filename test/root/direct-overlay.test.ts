import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, open, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { GIB, MIB, SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";
import { openOverlay } from "../../src/build/root-disk/direct/overlay.ts";
import { findChanges, planChanges, readChangedBlock } from "../../src/build/root-disk/direct/plan-changes.ts";
import { attachAutoclearLoopDevice } from "../../src/linux/devices/autoclear-loop-device.ts";
import { backingFileOf } from "../../src/linux/devices/loop-device.ts";
import { blocksOf } from "../../src/linux/files/sparse-file.ts";
import { runCommand, startDaemon } from "../../src/linux/run-command.ts";
import { openSandbox } from "../../src/linux/sandbox/sandbox.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { hostStateChanges, readHostState } from "../helpers/host-state.ts";
import { serveFile } from "../helpers/nbd-base.ts";
import { fileSystemIn, fillDirectory, smallFileSystem } from "../helpers/small-file-system.ts";
import { ROOT } from "../helpers/source-files.ts";
import { programCommand } from "../helpers/test-program.ts";

const { signal } = new AbortController();
const scratch = await mkdtemp(join(tmpdir(), "amibake-overlay-"));
after(() => rm(scratch, { recursive: true }));

async function openHere(basePath: string, sizeBytes: number) {
  const directory = await mkdtemp(join(scratch, "o-"));
  const base = await serveFile(basePath, directory);
  const overlay = await openOverlay({ base, sizeBytes, directory: join(directory, "changes"), signal });
  return {
    overlay,
    directory,
    async [Symbol.asyncDispose]() {
      await overlay[Symbol.asyncDispose]();
      await base[Symbol.asyncDispose]();
    },
  };
}

test("An overlay reads as its base and keeps what is written, zeros and discards included", async () => {
  const before = await readHostState();
  const base = randomBytes(4 * MIB);
  const basePath = join(scratch, "base.raw");
  await writeFile(basePath, base);
  const expected = Buffer.concat([base, Buffer.alloc(4 * MIB)]);
  {
    await using opened = await openHere(basePath, expected.length);
    const { overlay } = opened;
    assert.deepEqual(await overlay.writtenExtents(), []);
    {
      await using device = await overlay.attach();
      await using disk = await open(device.devicePath, "r+");
      const data = randomBytes(5_000);
      await disk.write(data, 0, data.length, MIB + 100);
      data.copy(expected, MIB + 100);
      // Beyond the end of the base.
      await disk.write(data, 0, data.length, 7 * MIB);
      data.copy(expected, 7 * MIB);
      await disk.sync();
      // Unaligned: whoever is told to make this zero has to.
      await runCommand([
        "blkdiscard",
        "--force",
        "--zeroout",
        "--offset",
        "512",
        "--length",
        "70144",
        device.devicePath,
      ]);
      expected.fill(0, 512, 512 + 70_144);
      await runCommand([
        "blkdiscard",
        "--force",
        "--offset",
        String(2 * MIB),
        "--length",
        String(MIB),
        device.devicePath,
      ]);
      expected.fill(0, 2 * MIB, 3 * MIB);
    }
    const blocks = blocksOf(await overlay.writtenExtents(), SNAPSHOT_BLOCK_BYTES);
    assert.deepEqual(blocks, [0, 2, 4, 5, 14]);
    const block = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
    for (let index = 0; index * SNAPSHOT_BLOCK_BYTES < expected.length; index++) {
      await overlay.read(index * SNAPSHOT_BLOCK_BYTES, block);
      const start = index * SNAPSHOT_BLOCK_BYTES;
      assert.ok(block.equals(expected.subarray(start, start + SNAPSHOT_BLOCK_BYTES)), `block ${index}`);
    }
    assert.deepEqual(await readdir(join(opened.directory, "changes")), [], "the file has a name");
  }
  assert.deepEqual(hostStateChanges(before, await readHostState()), []);
});

test("What the overlay's directory has no room for is a failure of the overlay, also when there is room again", async () => {
  const directory = await mkdtemp(join(scratch, "f-"));
  const basePath = join(scratch, "full.raw");
  await writeFile(basePath, randomBytes(MIB));
  await using small = await smallFileSystem(join(directory, "small"), "24m");
  await fillDirectory(small.path, { leaveBytes: 4 * MIB });
  await using base = await serveFile(basePath, directory);
  const told: string[] = [];
  const onFailure = ({ message }: Error) => told.push(message);
  await using overlay = await openOverlay({ base, sizeBytes: 64 * MIB, directory: small.path, signal, onFailure });
  {
    await using device = await overlay.attach();
    await using disk = await open(device.devicePath, "r+");
    const data = randomBytes(MIB);
    await disk.write(data, 0, data.length, 0);
    await disk.sync();
    assert.equal(overlay.failure(), undefined);
    for (let written = 1; written < 16; written++) await disk.write(data, 0, data.length, written * MIB);
    await assert.rejects(disk.sync(), { code: "EIO" });
    await rm(join(small.path, "filler"));
    // Who closed the file, or unmounted the file system, has seen nothing of it; all is well again for everybody else.
    await disk.write(data, 0, data.length, 20 * MIB);
    await disk.sync();
  }
  const message = `Cannot keep what the build writes in "${small.path}": No space left on device`;
  await assert.rejects(overlay.writtenExtents(), { code: "ERR_OVERLAY", message });
  assert.equal(overlay.failure()?.message, message);
  assert.deepEqual(told, [message]);
});

test("A file system that cannot zero parts of files is refused before anything is written", async () => {
  const directory = await mkdtemp(join(scratch, "z-"));
  await using base = await serveFile(await tinyBaseImage({ layout: "whole-disk" }), directory);
  await using old = await fileSystemIn(join(directory, "ext2"), "ext2", 8 * MIB);
  await assert.rejects(openOverlay({ base, sizeBytes: 64 * MIB, directory: old.path, signal }), {
    code: "ERR_OVERLAY",
    message: `Cannot keep the changes of the build in "${old.path}"`,
    hint: "Set overlay_directory to a directory on ext4, XFS, Btrfs or tmpfs: this file system cannot zero parts of files",
  });
});

test("Writes of less than a subcluster are no failure of the overlay, on a disk and in memory", async () => {
  const directory = await mkdtemp(join(scratch, "w-"));
  const basePath = join(directory, "base.raw");
  await writeFile(basePath, randomBytes(MIB));
  await using base = await serveFile(basePath, directory);
  await using memory = await smallFileSystem(join(directory, "memory"), "24m");
  for (const changes of [join(directory, "changes"), memory.path]) {
    await using overlay = await openOverlay({ base, sizeBytes: 16 * MIB, directory: changes, signal });
    await using device = await overlay.attach();
    await runCommand(["mke2fs", "-q", "-t", "ext4", "-b", "1024", device.devicePath]);
    await overlay.writtenExtents();
    assert.equal(overlay.failure(), undefined);
  }
});

test("An overlay whose daemon ends has failed", async () => {
  const basePath = join(scratch, "ended.raw");
  await writeFile(basePath, randomBytes(MIB));
  await using opened = await openHere(basePath, 4 * MIB);
  const { overlay } = opened;
  assert.equal(overlay.failure(), undefined);
  await overlay.sandbox.endProcesses(0);
  await assert.rejects(overlay.writtenExtents(), { code: "ERR_OVERLAY", message: /qemu-storage-daemon has ended$/ });
});

for (const [layout, partition, makeFileSystem] of [
  ["gpt", "p1", undefined],
  ["whole-disk", "", undefined],
  ["whole-disk", "", ["mkfs.xfs", "-q", "-f"]],
] as const) {
  const name = makeFileSystem === undefined ? `ext4 on a ${layout} disk` : "XFS";
  test(`What was written and deleted again is no change: ${name}`, async () => {
    const basePath = join(scratch, "fs.raw");
    await copyFile(await tinyBaseImage({ layout }), basePath);
    if (makeFileSystem !== undefined) {
      await truncate(basePath, 400 * MIB);
      await runCommand([...makeFileSystem, basePath]);
    }
    await using opened = await openHere(basePath, GIB);
    const { overlay, directory } = opened;
    const mountpoint = join(directory, "mnt");
    await mkdir(mountpoint);
    {
      await using device = await overlay.attach();
      await using sandbox = await openSandbox({ keepVisible: [directory], signal });
      await sandbox.run(["mount", device.devicePath + partition, mountpoint]);
      const fill = (file: string, count: number) =>
        sandbox.run(["dd", "if=/dev/urandom", `of=${mountpoint}/${file}`, "bs=1M", `count=${count}`, "status=none"]);
      await fill("deleted", 16);
      await sandbox.run(["sync", "--file-system", mountpoint]);
      await fill("kept", 2);
      await sandbox.run(["sync", "--file-system", mountpoint]);
      await sandbox.run(["rm", `${mountpoint}/deleted`]);
      await sandbox.run(["umount", mountpoint]);
    }
    const written = await overlay.writtenExtents();
    const changes = await findChanges(overlay, signal);
    const writtenBlocks = blocksOf(written, SNAPSHOT_BLOCK_BYTES);
    assert.ok(changes.blockIndexes.every((index) => writtenBlocks.includes(index)));
    const saved = writtenBlocks.length - changes.blockIndexes.length;
    assert.ok(saved >= 24, `${saved} of the 32 blocks of a deleted file are no changes`);

    // Put together as the upload does it, the disk is sound and has the file that was kept.
    const result = join(directory, "result.raw");
    await copyFile(basePath, result);
    await truncate(result, GIB);
    await using file = await open(result, "r+");
    const block = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
    for (const index of changes.blockIndexes) {
      await readChangedBlock(overlay, changes, index, block);
      await file.write(block, 0, block.length, index * SNAPSHOT_BLOCK_BYTES);
    }
    await using device = await attachAutoclearLoopDevice(file, "result");
    const check = makeFileSystem === undefined ? ["e2fsck", "-fn"] : ["xfs_repair", "-n"];
    await runCommand([...check, device.devicePath + partition]);
  });
}

test("A block changes only where something was written that is not free now, and is read with no more than it needs", async () => {
  const block = SNAPSHOT_BLOCK_BYTES;
  const extent = (startBytes: number, endBytes: number) => ({ startBytes, endBytes });
  const written = [extent(0, 10), extent(3 * block, 5 * block)];
  const free = [extent(5, 100), extent(3 * block, 4 * block)];
  const changes = planChanges(written, free);
  assert.deepEqual(changes, {
    blockIndexes: [0, 4],
    written: [extent(0, 5), extent(4 * block, 5 * block)],
    discarded: [extent(5, 10), extent(3 * block, 4 * block)],
    whole: new Set([4]),
  });
  const reads: [number, number][] = [];
  const overlay = {
    async read(offsetBytes: number, target: Uint8Array) {
      reads.push([offsetBytes, target.length]);
      target.fill(1);
    },
  };
  const data = Buffer.alloc(block, 7);
  await readChangedBlock(overlay, changes, 0, data);
  assert.deepEqual([...data.subarray(0, 12)], [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1]);
  const other = planChanges([extent(block, block + 4096)], [extent(block + 4096, 2 * block)]);
  await readChangedBlock(overlay, other, 1, data);
  assert.deepEqual([data[4095], data[4096], data.at(-1)], [1, 0, 0]);
  assert.deepEqual(reads, [
    [0, block],
    [block, 4096],
  ]);
});

test("A killed amibake leaves no loop device, no mount and no process of its overlay", async () => {
  const before = await readHostState();
  const basePath = join(scratch, "killed.raw");
  await writeFile(basePath, randomBytes(MIB));
  const directory = await mkdtemp(join(scratch, "k-"));
  await using base = await serveFile(basePath, directory);
  const holding = await startDaemon([...programCommand("test/fixtures/hold-overlay.ts"), base.socketPath, directory], {
    stdio: ["ignore", "pipe", "ignore"],
    cwd: ROOT,
  });
  const lines = createInterface({ input: holding.process.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, "line")) as [string];
  const { devicePath, holder } = JSON.parse(line) as { devicePath: string; holder: number };
  assert.match((await backingFileOf(devicePath)) ?? "", /disk$/);
  holding.process.kill("SIGKILL");
  await holding.ended;
  const deadline = performance.now() + 5_000;
  const isThere = async () =>
    (await backingFileOf(devicePath)) !== undefined || (await readdir("/proc")).includes(String(holder));
  while (await isThere()) {
    assert.ok(performance.now() < deadline, `${devicePath} or the holder ${holder} is still there`);
    await delay(10);
  }
  assert.deepEqual(hostStateChanges(before, await readHostState()), []);
});
