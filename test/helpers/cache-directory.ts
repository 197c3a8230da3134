import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

/** Where scripts and tests keep what is slow to make. The same place as `cache_directory` of scripts/lib/setup.sh. */
export async function cacheDirectory(): Promise<string> {
  const base = process.env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  const directory = path.join(base, "amibake");
  await mkdir(directory, { recursive: true });
  return directory;
}
