// A store of disks for root tests, in directories of its own, that proves at its end that it left nothing.
import assert from "node:assert/strict";
import { mkdtemp, open, readdir, realpath, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SnapshotId, VolumeId } from "../../src/base/ids.ts";
import { listLoopDevices } from "../../src/linux/devices/loop-device.ts";
import type { FileLock } from "../../src/linux/files/file-lock.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { type FileDiskStorage, openDiskStorage } from "../../src/local-cloud/storage/open-disk-storage.ts";

export const MIB = 1024 ** 2;
export const BLOCK_BYTES = 512 * 1024;

export const volume = (name: string): VolumeId => `vol-${name}` as VolumeId;
export const snapshot = (name: string): SnapshotId => `snap-${name}` as SnapshotId;

export interface DiskStore extends AsyncDisposable {
  readonly storeDirectory: string;
  /** On the devtmpfs, so that nodes work; apart from the names that others use. */
  readonly deviceDirectory: string;
  readonly reports: string[];
  open(options?: { nitro?: boolean; deviceDirectory?: string; lock?: FileLock }): Promise<FileDiskStorage>;
  diskPath(volumeId: VolumeId): string;
  /** Names of all blocks that are stored. */
  blocks(): Promise<string[]>;
  loopDevices(): Promise<string[]>;
}

export async function makeDiskStore(): Promise<DiskStore> {
  const storeDirectory = await realpath(await mkdtemp(join(tmpdir(), "amibake-store-")));
  const deviceDirectory = await mkdtemp("/dev/amibake-test-");
  const reports: string[] = [];
  const loopDevices = async () => {
    const ours = (await listLoopDevices()).filter(({ backingFile }) => backingFile.startsWith(storeDirectory));
    return ours.map(({ devicePath }) => devicePath);
  };
  return {
    storeDirectory,
    deviceDirectory,
    reports,
    open: (options = {}) =>
      openDiskStorage({
        storeDirectory,
        nitro: false,
        deviceDirectory,
        report: (message) => reports.push(message),
        ...options,
      }),
    diskPath: (volumeId) => join(storeDirectory, "volumes", `${volumeId}.disk`),
    async blocks() {
      const names = await readdir(join(storeDirectory, "blocks"), { recursive: true });
      return names.filter((name) => name.includes("/"));
    },
    loopDevices,
    async [Symbol.asyncDispose]() {
      const loops = await loopDevices();
      const nodes = await readdir(deviceDirectory);
      for (const loop of loops) {
        await runCommand(["partx", "--delete", loop]).catch(() => {});
        await runCommand(["losetup", "--detach", loop]);
      }
      for (const node of nodes) await rm(join(deviceDirectory, node), { recursive: true });
      await rmdir(deviceDirectory);
      await rm(storeDirectory, { recursive: true });
      assert.deepEqual({ loops, nodes }, { loops: [], nodes: [] });
    },
  };
}

/** Writes `data` at an offset of a file or device, and makes sure that it got there. */
export async function writeAt(path: string, offsetBytes: number, data: Uint8Array): Promise<void> {
  await using file = await open(path, "r+");
  await file.write(data, 0, data.length, offsetBytes);
  await file.sync();
}

export async function readAt(path: string, offsetBytes: number, byteCount: number): Promise<Buffer> {
  await using file = await open(path, "r");
  const data = Buffer.alloc(byteCount);
  await file.read(data, 0, byteCount, offsetBytes);
  return data;
}

/** A table with two partitions of 4 MiB, the second with an ext4 file system. */
export async function partitionDisk(path: string): Promise<void> {
  await runCommand(["sfdisk", "--quiet", path], { input: "label: gpt\nsize=4M\nsize=4M,name=root\n" });
  await runCommand(["mke2fs", "-q", "-t", "ext4", "-E", `offset=${5 * MIB}`, path, "4M"]);
}
