import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { hclFunctionsReference } from "./hcl2-functions-reference.ts";

test("docs/hcl2-functions.md says what the functions do", async () => {
  const page = await readFile(new URL("../../docs/hcl2-functions.md", import.meta.url), "utf8");
  assert.equal(page, hclFunctionsReference(), "run: node --import tsx scripts/generate-docs.ts");
});
