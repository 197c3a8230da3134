// Small disks for tests: a root file system of a few megabytes that a chroot can
// work in, in the partition layouts that the builder has to tell apart. They are
// made without root's mounts or loop devices (mke2fs writes the tree by itself),
// and the same input gives the same bytes.
import { createHash } from "node:crypto";
import { access, mkdtemp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { hostEnvironment, runCommand } from "../../src/linux/run-command.ts";
import { cacheDirectory } from "./cache-directory.ts";
import { type DiskLayout, type Partition, partitionsOf, partitionTable } from "./disk-layouts.ts";
import { hostPrograms, makeRootTree } from "./root-tree.ts";

export type { DiskLayout } from "./disk-layouts.ts";

const MIB = 1024 ** 2;
// Any time will do, as long as it is the same each time.
const TREE_TIME = new Date("2026-01-01T00:00:00Z");

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

async function makeDisk(disk: string, options: { layout: DiskLayout; scratch: string }): Promise<void> {
  const { layout, scratch } = options;
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
  await makeRootTree(tree, { layout, time: TREE_TIME });
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
  const uuid = uuidOf(partition.label);
  const offset = partition.startMib * MIB;
  const argv = ["mke2fs", "-q", "-t", "ext4", "-d", tree, "-L", partition.label, "-U", uuid];
  argv.push("-E", `offset=${offset},hash_seed=${uuid},root_owner=0:0`, disk, `${partition.sizeMib}M`);
  const time = String(Math.floor(TREE_TIME.getTime() / 1000));
  await runCommand(argv, { env: { ...hostEnvironment(), E2FSPROGS_FAKE_TIME: time } });
}

function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
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
