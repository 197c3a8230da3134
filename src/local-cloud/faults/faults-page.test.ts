import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ProblemList } from "../../base/problems.ts";
import { FAULT_NAMES } from "./fault-kinds.ts";
import { RULE_KEYS, readFaults } from "./read-faults.ts";

const page = await readFile(join(import.meta.dirname, "../../../docs/faults.md"), "utf8");

test("docs/faults.md lists every fault and every field once, and no others", () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1] ?? "");
  assert.deepEqual(rows.toSorted(), [...FAULT_NAMES, ...RULE_KEYS].toSorted());
});

test("Every example of docs/faults.md is a valid fault file or rule", () => {
  const examples = [...page.matchAll(/^```json\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? "");
  assert.ok(examples.length > 3);
  for (const example of examples) {
    const problems = new ProblemList();
    readFaults("faults.md", example.includes('"faults"') ? example : `{"faults": [${example}]}`, problems);
    assert.deepEqual(problems.sorted([]), [], example);
  }
});
