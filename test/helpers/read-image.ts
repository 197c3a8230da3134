import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listPartitions } from "../../src/linux/partitions.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import type { TestCloud } from "./test-cloud.ts";

/** The content of a file in an image's root file system (ext4), read without mounting it. */
export async function readImageFile(cloud: TestCloud, imageId: string, path: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-read-"));
  try {
    const disk = join(directory, "disk.raw");
    await cloud.local("export", imageId, disk, "--format", "raw");
    const [partition] = await listPartitions(disk);
    const where = partition === undefined ? disk : `${disk}?offset=${partition.startBytes}`;
    const { stdout } = await runCommand(["debugfs", "-R", `cat ${path}`, where]);
    return stdout.toString();
  } finally {
    await rm(directory, { recursive: true });
  }
}
