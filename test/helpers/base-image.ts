// Small disks for tests: a root file system of a few megabytes that a chroot can
// work in, in the partition layouts that the builder has to tell apart. They are
// made without a mount or a loop device: mke2fs writes the tree by itself.
import { createHash } from "node:crypto";
import { access, mkdtemp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { runCommand } from "../../src/linux/run-command.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { type DiskLayout, type Partition, partitionsOf, partitionTable } from "./disk-layouts.ts";
import { hostPrograms, makeRootTree } from "./root-tree.ts";

export type { DiskLayout } from "./disk-layouts.ts";

const MIB = 1024 ** 2;

/**
 * The path of a raw disk file for `amibake local import`. Made on first use, then taken from the
 * cache; parallel callers may make it twice but never see half of it. Do not write to it.
 *
 * Every layout has a root file system labelled "root" with the file `/etc/amibake-test-layout`,
 * which names the layout; every other ext4 partition has a file `/not-the-root`.
 */
export async function tinyBaseImage(options: { layout: DiskLayout }): Promise<string> {
  const { layout } = options;
  const image = path.join(await cacheDirectory(), `tiny-${layout}-${await inputsHash()}.raw`);
  if (await exists(image)) return image;
  const scratch = await mkdtemp(path.join(await cacheDirectory(), ".tiny-"));
  try {
    const disk = path.join(scratch, "disk.raw");
    await makeDisk(disk, { layout, scratch });
    await rename(disk, image);
    return image;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Makes a disk of its own for one test.
 *
 * @param options.scratch a directory for what is needed meanwhile.
 * @param options.plant changes the root file system's tree before it becomes one.
 */
export async function makeDisk(
  disk: string,
  options: { layout: DiskLayout; scratch: string; plant?: (tree: string) => Promise<void> },
): Promise<void> {
  const { layout, scratch, plant = async () => {} } = options;
  const partitions = partitionsOf(layout);
  const last = partitions.at(-1);
  if (last === undefined) throw new RangeError(`Layout "${layout}" has no file system`);
  // The backup table of GPT takes the last 33 sectors.
  const diskMib = last.startMib + last.sizeMib + (layout === "whole-disk" ? 0 : 1);
  await writeFile(disk, "");
  await truncate(disk, diskMib * MIB);
  const table = partitionTable(layout);
  if (table !== undefined) await runCommand(["sfdisk", "--quiet", disk], { input: table });
  const tree = path.join(scratch, "tree");
  await makeRootTree(tree, layout);
  await plant(tree);
  for (const partition of partitions) await formatPartition(disk, partition, { rootTree: tree, scratch });
}

async function formatPartition(
  disk: string,
  partition: Partition,
  options: { rootTree: string; scratch: string },
): Promise<void> {
  if (partition.content === "none") return;
  let tree = options.rootTree;
  if (partition.content === "other") {
    tree = await mkdtemp(path.join(options.scratch, "other-"));
    await writeFile(path.join(tree, "not-the-root"), `${partition.label}\n`);
  }
  const argv = ["mke2fs", "-q", "-t", "ext4", "-d", tree, "-L", partition.label];
  argv.push("-E", `offset=${partition.startMib * MIB},root_owner=0:0`, disk, `${partition.sizeMib}M`);
  await runCommand(argv);
}

/** A change of the programs inside or of the code that lays them out gives another file name. */
async function inputsHash(): Promise<string> {
  const hash = createHash("sha256");
  const code = ["base-image.ts", "disk-layouts.ts", "root-tree.ts"].map((file) => path.join(import.meta.dirname, file));
  for (const file of [...code, ...(await hostPrograms())]) hash.update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
