import { mkdir } from "node:fs/promises";
import { listPartitions } from "../../src/linux/devices/partitions.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { askCloud } from "./ask-cloud.ts";
import type { TestCloud } from "./test-cloud.ts";

/** Mounts the first file system of an image read-only while `work` looks at it. `path` is made, and a disk beside it. */
export async function withMountedImage(
  cloud: Pick<TestCloud, "storeDirectory">,
  { imageId, path }: { imageId: string; path: string },
  work: (root: string) => Promise<void>,
): Promise<void> {
  const disk = `${path}.raw`;
  await askCloud(cloud.storeDirectory, "export", { image: imageId, path: disk, format: "raw", force: false });
  await mkdir(path);
  const [partition] = await listPartitions(disk);
  const options = ["ro", "noload", "loop", `offset=${partition?.startBytes ?? 0}`];
  await runCommand(["mount", "--options", options.join(","), disk, path]);
  try {
    await work(path);
  } finally {
    await runCommand(["umount", path]);
  }
}
