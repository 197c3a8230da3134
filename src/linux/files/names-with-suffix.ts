import { readdir } from "node:fs/promises";
import { systemCode } from "../../base/errors.ts";

/** The names in a directory that end so, without that ending, sorted. None if there is no such directory. */
export async function namesWithSuffix(directory: string, suffix: string): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names.flatMap((name) => (name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : [])).sort();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
