import { readdir } from "node:fs/promises";
import path from "node:path";

const FOLDERS = ["src", "test", "scripts", "bench"];
// These mount, attach and compare the whole machine before and after: one at a time.
const ALONE = ["test/root/", "test/e2e/"];

export interface TestFiles {
  readonly together: readonly string[];
  readonly alone: readonly string[];
}

/**
 * The test files, relative to the repository. With filters, those whose path contains one of them.
 *
 * @throws {RangeError} if a filter names no file.
 */
export async function findTestFiles(repository: string, filters: readonly string[]): Promise<TestFiles> {
  const all: string[] = [];
  for (const folder of FOLDERS) {
    for (const name of await readdir(path.join(repository, folder), { recursive: true })) {
      if (name.endsWith(".test.ts")) all.push(path.join(folder, name));
    }
  }
  for (const filter of filters) {
    if (!all.some((file) => file.includes(filter))) throw new RangeError(`No test file's path contains "${filter}"`);
  }
  const chosen = all.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))).sort();
  const isAlone = (file: string): boolean => ALONE.some((folder) => file.startsWith(folder));
  return { together: chosen.filter((file) => !isAlone(file)), alone: chosen.filter(isAlone) };
}
