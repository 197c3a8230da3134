import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../base/errors.ts";

/**
 * Makes a directory and its missing parents, with mode 0755.
 *
 * Not Node's recursive mkdir: where a directory cannot be made because the file system has no such name, as in /proc,
 * that one tries for ever.
 *
 * @returns those that were made, a parent before what is in it.
 * @throws the system's error.
 */
export async function makeDirectories(path: string): Promise<string[]> {
  const made = await makeDirectory(path);
  if (made !== "no parent") return made ? [path] : [];
  const parents = dirname(path) === path ? [] : await makeDirectories(dirname(path));
  // Once more, not in a circle: with its parent there, a second ENOENT is final.
  await mkdir(path, 0o755).catch((error: unknown) => {
    if (systemCode(error) !== "EEXIST") throw error;
  });
  return [...parents, path];
}

async function makeDirectory(path: string): Promise<boolean | "no parent"> {
  try {
    await mkdir(path, 0o755);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    if (systemCode(error) === "ENOENT") return "no parent";
    throw error;
  }
}
