import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../../base/errors.ts";

/**
 * Makes a directory and its missing parents, all with the same mode.
 *
 * Not Node's recursive mkdir: where a directory cannot be made because the file system has no such name, as in /proc,
 * that one tries for ever.
 *
 * @returns those that were made, a parent before what is in it.
 * @throws the system's error: ENOTDIR if what is there is no directory.
 */
export async function makeDirectories(path: string, mode = 0o755): Promise<string[]> {
  try {
    return await makeDirectory(path, mode);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  const parents = await makeDirectories(dirname(path), mode);
  // Once more, not in a circle: with its parent there, a second ENOENT is final.
  return [...parents, ...(await makeDirectory(path, mode))];
}

/** @returns what was made: nothing if it is there. */
async function makeDirectory(path: string, mode: number): Promise<string[]> {
  try {
    await mkdir(path, mode);
    return [path];
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    // With the slash, it fails for what is no directory.
    await stat(`${path}/`);
    return [];
  }
}
