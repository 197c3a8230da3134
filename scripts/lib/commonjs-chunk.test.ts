import assert from "node:assert/strict";
import { test } from "node:test";
import { commonJsChunk } from "./commonjs-chunk.mjs";

/** Runs it, with what it may require. */
function run(text: string, modules: Readonly<Record<string, unknown>> = {}): { exported: unknown; required: string[] } {
  const required: string[] = [];
  const require = (name: string) => {
    required.push(name);
    return modules[name];
  };
  const module = { exports: {} };
  new Function("require", "module", commonJsChunk(text))(require, module);
  return { exported: module.exports, required };
}

test("imports become constants, in their order and before everything else", () => {
  const text = `
    import "./first.js";
    import { add, two as deux, default as fallback } from "./numbers.js";
    import path from "node:path";
    import * as fs from "node:fs";
    export { sum, fs, path as files, fallback as default };
    const sum = add(1, deux) + later;
    import { later } from "./late.js";`;
  const numbers = { add: (a: number, b: number) => a + b, two: 2, default: "none" };
  const modules = { "./numbers.js": numbers, "node:path": "path", "node:fs": "fs", "./late.js": { later: 10 } };
  const { exported, required } = run(text, modules);
  assert.deepEqual(exported, { sum: 13, fs: "fs", files: "path", default: "none" });
  assert.deepEqual(required, ["./first.js", "./numbers.js", "node:path", "node:fs", "./late.js"]);
});

test("a file that is loaded later is required then, and a package is left to the bundler", async () => {
  const text = `const load = () => import("./later.js"); export { load };`;
  const { exported, required } = run(text, { "./later.js": { value: 1 } });
  assert.deepEqual(required, []);
  assert.deepEqual(await (exported as { load(): Promise<unknown> }).load(), { value: 1 });
  assert.match(commonJsChunk('import("koffi");'), /import\("koffi"\)/);
});

test("what looks like an import in a text is none", () => {
  const { exported } = run(`const text = 'import{a}from"./b.js";export{c}'; export { text };`);
  assert.deepEqual(exported, { text: 'import{a}from"./b.js";export{c}' });
});

test("a form that the bundler does not write is refused", () => {
  for (const text of [
    'export * from "./a.js";',
    "export default 1;",
    "export const a = 1;",
    'export { a } from "./a.js";',
  ]) {
    assert.throws(() => commonJsChunk(text), /^Error: Cannot turn this into CommonJS: export /, text);
  }
});
