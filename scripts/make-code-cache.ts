// Writes what V8 compiles of the built command beside each of its files, for `src/cli/start/chunk-loader.ts`.
//
// V8 compiles a function when it is first called, so the commands that are to start fast run here. What else is compiled
// makes all of them slower. The build calls it.
import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Script } from "node:vm";
import { ChunkLoader, codeCachePath } from "../src/cli/start/chunk-loader.ts";
import { keepYoungGenerationSmall } from "../src/cli/start/v8-flags.ts";

const ROOT = join(import.meta.dirname, "..");
const CHUNKS = join(ROOT, "dist/cli/chunks");
const COMMAND_LINES = [
  ["--help"],
  ["build", "--help"],
  ["validate", "examples/rocky-linux"],
  ["validate", "examples/kubernetes-node"],
  ["validate", "examples/data-sources"],
  ["validate", "examples/amazon-linux/template.json"],
];

keepYoungGenerationSmall();
const chunks = (await readdir(CHUNKS)).filter((name) => name.endsWith(".js"));
const main = chunks.find((name) => name.startsWith("main-")) ?? "";
const scripts = new Map<string, Script>();

async function runCommand(args: readonly string[]): Promise<void> {
  process.argv = [process.execPath, join(ROOT, "dist/cli/amibake.js"), ...args];
  const { ended } = new ChunkLoader(scripts).load(join(CHUNKS, main)) as { ended: Promise<void> };
  await ended;
}

const print = [process.stdout.write, process.stderr.write] as const;
process.chdir(ROOT);
// Each command listens to errors of the output.
process.stdout.setMaxListeners(2 * COMMAND_LINES.length);
process.stderr.setMaxListeners(2 * COMMAND_LINES.length);
process.stdout.write = () => true;
process.stderr.write = () => true;
try {
  for (const args of COMMAND_LINES) await runCommand(args);
} finally {
  [process.stdout.write, process.stderr.write] = print;
  process.exitCode = 0;
}

const loader = new ChunkLoader(scripts);
for (const name of chunks) {
  const path = join(CHUNKS, name);
  const temporary = `${codeCachePath(path)}.${process.pid}`;
  await writeFile(temporary, loader.compile(path).createCachedData());
  await rename(temporary, codeCachePath(path));
}
