import assert from "node:assert/strict";
import { test } from "node:test";
import { importsOf, withoutCommentLines } from "./source-files.ts";

test("importsOf() finds every form of import, and which are types only", () => {
  const code = [
    'import { a } from "./a.ts";',
    'import "./effect.ts";',
    'import type { B } from "./b.ts";',
    'import { type C, type D } from "./c.ts";',
    'import { type E, f } from "./e.ts";',
    "import {",
    "  g,",
    "  type H,",
    '} from "./g.ts";',
    'import * as i from "./i.ts";',
    'export { j } from "./j.ts";',
    'export type { K } from "./k.ts";',
    'export * from "./l.ts";',
    'const m = await import("./m.ts");',
    "const n = await import(name);",
    'function o(p: import("./p.ts").P) {}',
    'const q = require("q");',
    "const r = await import(",
    '  "./r.ts"',
    ");",
    'const text = `import { s } from "./s.ts"`;',
    'export const t = "./t.ts";',
  ].join("\n");
  assert.deepEqual(
    importsOf(code).map(({ specifier, isTypeOnly, line }) => `${line} ${specifier}${isTypeOnly ? " type" : ""}`),
    [
      "1 ./a.ts",
      "2 ./effect.ts",
      "3 ./b.ts type",
      "4 ./c.ts type",
      "5 ./e.ts",
      "6 ./g.ts",
      "10 ./i.ts",
      "11 ./j.ts",
      "12 ./k.ts type",
      "13 ./l.ts",
      "14 ./m.ts",
      "15 (name)",
      "16 ./p.ts",
      "17 q",
      "18 ./r.ts",
    ],
  );
});

test("withoutCommentLines() empties comments and keeps line numbers", () => {
  const text = ["/** One. */", "a;", "/*", " import('x')", " */", "  // b", 'c; // "d"', "/**", " * e */", "f;"].join(
    "\n",
  );
  assert.equal(withoutCommentLines(text), ["", "a;", "", "", "", "", 'c; // "d"', "", "", "f;"].join("\n"));
});
