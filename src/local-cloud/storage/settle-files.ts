// The files of a store when it is opened: what a killed process left, and what is used.
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemCode } from "../../base/errors.ts";
import type { VolumeId } from "../../base/ids.ts";
import type { BlockHash } from "./block-medium.ts";
import { decodeManifest, type SnapshotManifest } from "./snapshot-manifest.ts";
import { basePath, PENDING, type StoreLayout, UNFINISHED, volumePath } from "./store-layout.ts";

/** Removes files that were being written, and manifests of volumes that were not yet made, or not wholly deleted. */
export async function removeUnfinished(layout: StoreLayout): Promise<void> {
  for (const directory of [layout.snapshotDirectory, layout.volumeDirectory]) {
    const names = (await readdir(directory)).filter((name) => name.endsWith(UNFINISHED));
    for (const name of names) await rm(join(directory, name), { force: true });
  }
  const names = await readdir(layout.volumeDirectory);
  const volumeIds = names.flatMap((name) =>
    name.endsWith(".base") ? [name.slice(0, -".base".length) as VolumeId] : [],
  );
  for (const volumeId of volumeIds) {
    const isStray = !names.includes(basename(volumePath(layout, volumeId)));
    if (isStray) await rm(basePath(layout, volumeId), { force: true });
  }
}

/** One hash for each use of a block by a manifest. */
export async function blocksOfManifests({ snapshotDirectory }: StoreLayout): Promise<BlockHash[]> {
  const used: BlockHash[] = [];
  for (const name of await readdir(snapshotDirectory)) {
    if (name.endsWith(PENDING)) continue;
    const path = join(snapshotDirectory, name);
    for (const { hash } of decodeManifest(await readFile(path), path).blocks) used.push(hash);
  }
  return used;
}

/** @returns undefined if there is no such file. */
export async function readManifestFile(path: string): Promise<SnapshotManifest | undefined> {
  try {
    return decodeManifest(await readFile(path), path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
