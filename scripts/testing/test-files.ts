import { readdir } from "node:fs/promises";
import path from "node:path";

const FOLDERS = ["src", "test", "scripts", "bench"];
/**
 * One at a time. All others look only at what is their own, and attach through builds, which take the device lock, or under
 * names that no build gets to.
 */
const ALONE = new Set([
  // Fork bombs.
  "test/root/attack-processes.test.ts",
  // So many builds at once that they get to every name.
  "test/root/build-parallel.test.ts",
  // Overlays are loop devices of files without a name, so nobody can tell whose they are.
  "test/root/direct-overlay.test.ts",
  // A disk that is mounted on the host must be free at once: others open mount namespaces that copy it.
  "test/root/sandbox.test.ts",
]);
// The longest first: in the end no core waits for a last long one.
const LONG_FIRST = ["test/e2e/", "test/root/", "test/contract/"];

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
  const together = chosen.filter((file) => !ALONE.has(file));
  const isOf = (folder: string) => (file: string) => file.startsWith(folder);
  const long = LONG_FIRST.flatMap((folder) => together.filter(isOf(folder)));
  const others = together.filter((file) => !LONG_FIRST.some((folder) => file.startsWith(folder)));
  return { together: [...long, ...others], alone: chosen.filter((file) => ALONE.has(file)) };
}
