import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Script } from "node:vm";
import { ChunkLoader, codeCachePath } from "./chunk-loader.ts";

/** As the build writes it. */
function chunk(code: string): string {
  return `(function(exports,require,module,__filename){\n${code}\n})\n`;
}

interface Chunks extends AsyncDisposable {
  readonly main: string;
}

let made = 0;

async function makeChunks(): Promise<Chunks> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-chunks-"));
  const main = join(directory, "main.js");
  // A text of its own: V8 remembers what it has compiled in this process.
  const number = ++made;
  await writeFile(main, chunk(`const { add } = require("./add.js");\nexports.sum = add(1, ${number});`));
  await writeFile(join(directory, "add.js"), chunk(`exports.add = (a, b) => a + b; // ${number}`));
  return { main, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

function load(path: string) {
  const scripts = new Map<string, Script>();
  const loader = new ChunkLoader(scripts);
  const exported = loader.load(path);
  assert.equal(loader.load(path), exported, "it ran once");
  return { exported, isRejected: scripts.get(path)?.cachedDataRejected };
}

test("chunks load each other", async () => {
  await using chunks = await makeChunks();
  assert.deepEqual(load(chunks.main), { exported: { sum: 1 + made }, isRejected: undefined });
});

test("compiled code that V8 does not take is passed over", async () => {
  await using other = await makeChunks();
  const compiled = new ChunkLoader().compile(other.main).createCachedData();
  const wrong = [
    Buffer.from("no compiled code"),
    compiled.subarray(0, compiled.length / 2),
    // Where the hash of V8's version stands.
    Buffer.concat([compiled.subarray(0, 4), Buffer.alloc(4, 7), compiled.subarray(8)]),
  ];
  for (const data of wrong) {
    await using chunks = await makeChunks();
    await writeFile(codeCachePath(chunks.main), data);
    assert.deepEqual(load(chunks.main), { exported: { sum: 1 + made }, isRejected: true });
  }
});

test("an error tells the line and column in the chunk", async () => {
  await using chunks = await makeChunks();
  await writeFile(chunks.main, chunk("exports.fail = () => { throw new Error('no') };"));
  const { fail } = new ChunkLoader().load(chunks.main) as { fail(): void };
  assert.throws(fail, (error: Error) => error.stack?.includes("(amibake/main.js:2:30)") === true);
  await writeFile(chunks.main, chunk("exports.fail = ;"));
  assert.throws(() => new ChunkLoader().load(chunks.main), { name: "SyntaxError" });
});

test("a module of Node is required by its name", async () => {
  await using chunks = await makeChunks();
  await writeFile(chunks.main, chunk('exports.sep = require("node:path").sep;'));
  assert.deepEqual(new ChunkLoader().load(chunks.main), { sep: "/" });
});
