import { createHash } from "node:crypto";
import { open, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { isUnknown } from "../../src/base/block-hashes.ts";
import type { SnapshotId } from "../../src/base/ids.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";
import { CommandError, runCommand } from "../../src/linux/run-command.ts";
import { manifestStore } from "../../src/snapshot-transfer/manifest-store.ts";
import type { FoundImage } from "./cloud-findings.ts";
import { type ExportedDisk, withExportedDisk } from "./read-image.ts";
import type { TestCloud } from "./test-cloud.ts";

/** What an image's root file system holds: by path, a file's hash or a link's target. */
export type ImageTree = ReadonlyMap<string, string>;

export interface ImageContent {
  readonly tree: ImageTree;
  /** What is wrong with it, whatever it should hold. */
  readonly faults: readonly string[];
}

/**
 * Reads all of an image (ext4) without mounting it, and judges whether its file system is sound.
 *
 * @param stateDirectory where the build that made it has noted the hash of each block: each is compared.
 */
export function readImageContent(
  cloud: TestCloud,
  { imageId, snapshotId }: Pick<FoundImage, "imageId" | "snapshotId">,
  stateDirectory: string,
): Promise<ImageContent> {
  return withExportedDisk(cloud, imageId, async (disk) => {
    const faults = [
      ...(await unsoundness(disk)),
      ...(await unlikeManifest(disk, snapshotId as SnapshotId, stateDirectory)),
    ];
    await runCommand(["debugfs", "-R", `rdump / ${disk.directory}`, disk.rootFileSystem]);
    return { tree: await hashTree(disk.directory), faults };
  });
}

/** Where two trees differ, but for paths that were changed on purpose. */
export function treeDifferences(expected: ImageTree, actual: ImageTree, changed: readonly string[]): string[] {
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((path) => !changed.includes(path) && expected.get(path) !== actual.get(path))
    .map((path) => `${path} is ${actual.get(path) ?? "missing"}, not ${expected.get(path) ?? "missing"}`);
}

async function unsoundness({ rootFileSystem }: ExportedDisk): Promise<string[]> {
  try {
    await runCommand(["e2fsck", "-fn", rootFileSystem]);
    return [];
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return [`e2fsck: ${error.message}`];
  }
}

async function unlikeManifest(disk: ExportedDisk, snapshotId: SnapshotId, stateDirectory: string): Promise<string[]> {
  const manifest = await manifestStore({ AMIBAKE_STATE_DIR: stateDirectory }).read(snapshotId);
  if (manifest === undefined) return [`nothing is noted of ${snapshotId}`];
  await using file = await open(disk.path, "r");
  const block = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
  const faults: string[] = [];
  for (const { blockIndex, sha256: noted } of manifest.blocks) {
    await file.read(block, 0, block.length, blockIndex * SNAPSHOT_BLOCK_BYTES);
    if (!isUnknown(noted) && sha256(block) !== Buffer.from(noted).toString("hex")) {
      faults.push(`block ${blockIndex} of ${snapshotId} is not what was noted of it`);
    }
  }
  return faults;
}

async function hashTree(root: string): Promise<ImageTree> {
  const tree = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length);
    if (entry.isSymbolicLink()) tree.set(name, `a link to ${await readlink(path)}`);
    if (entry.isFile()) tree.set(name, sha256(await readFile(path)));
  }
  return tree;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
