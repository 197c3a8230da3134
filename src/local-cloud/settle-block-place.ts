import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemCode, ToolError } from "../base/errors.ts";
import { writeFileAtomically } from "../linux/files/atomic-file.ts";
import type { FileLock } from "../linux/files/file-lock.ts";
import { BLOCKS_IN_MEMORY, emptyStore } from "./reset-store.ts";
import type { BlockPlace } from "./storage/open-disk-storage.ts";
import { storeLayout } from "./storage/store-layout.ts";

/**
 * Makes a store ready for blocks on disk or in memory. What a store was left with whose blocks were in memory is
 * deleted: its snapshots have no content any more. One that keeps blocks on disk never loses them to this.
 *
 * @param lock the store's, which the caller holds.
 * @throws {ToolError} ERR_STORE_NOT_EMPTY, ERR_STORE_IN_USE.
 */
export async function settleBlockPlace(storeDirectory: string, blocks: BlockPlace, lock: FileLock): Promise<void> {
  const mark = join(storeDirectory, BLOCKS_IN_MEMORY);
  if ((await namesIn(storeDirectory)).includes(BLOCKS_IN_MEMORY)) {
    await emptyStore(storeDirectory, lock);
    await rm(mark);
  }
  if (blocks === "disk") return;
  if (await holdsDisks(storeDirectory)) {
    const message = `Cannot keep the blocks of the store "${storeDirectory}" in memory: it has disks already`;
    throw new ToolError("ERR_STORE_NOT_EMPTY", message, {
      hint: "Choose another directory: amibake local start --blocks memory --store DIRECTORY",
    });
  }
  await writeFileAtomically(mark, "");
}

async function holdsDisks(storeDirectory: string): Promise<boolean> {
  const { snapshotDirectory, volumeDirectory } = storeLayout(storeDirectory);
  const names = await Promise.all([snapshotDirectory, volumeDirectory].map(namesIn));
  return names.flat().length > 0;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
