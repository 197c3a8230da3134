import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listPartitions } from "../../src/linux/devices/partitions.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { askCloud } from "./ask-cloud.ts";
import type { TestCloud } from "./test-cloud.ts";

/** An image as a file of this host. */
export interface ExportedDisk {
  readonly path: string;
  /** The disk and where its root file system begins, as the tools of e2fsprogs take it. */
  readonly rootFileSystem: string;
  /** An empty directory that goes with the disk. */
  readonly directory: string;
}

/** Exports an image for as long as `work` takes. */
export async function withExportedDisk<T>(
  cloud: TestCloud,
  imageId: string,
  work: (disk: ExportedDisk) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-read-"));
  const disk = `${directory}.raw`;
  try {
    await askCloud(cloud.storeDirectory, "export", { image: imageId, path: disk, format: "raw", force: false });
    const [partition] = await listPartitions(disk);
    const rootFileSystem = partition === undefined ? disk : `${disk}?offset=${partition.startBytes}`;
    return await work({ path: disk, rootFileSystem, directory });
  } finally {
    await rm(directory, { recursive: true });
    await rm(disk, { force: true });
  }
}

/** The content of a file in an image's root file system (ext4), read without mounting it. */
export function readImageFile(cloud: TestCloud, imageId: string, path: string): Promise<string> {
  return withExportedDisk(cloud, imageId, async ({ rootFileSystem }) => {
    const { stdout } = await runCommand(["debugfs", "-R", `cat ${path}`, rootFileSystem]);
    return stdout.toString();
  });
}
