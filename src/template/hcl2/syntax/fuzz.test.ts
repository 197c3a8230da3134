import assert from "node:assert/strict";
import { test } from "node:test";
import { bulkyHcl } from "../../../../test/helpers/hcl/bulky-hcl.ts";
import { judgeHcl } from "../../../../test/helpers/hcl/judge-hcl.ts";
import { mutateHcl } from "../../../../test/helpers/hcl/mutate-hcl.ts";
import { BODIES, EXPRESSIONS, TEMPLATES } from "../../../../test/helpers/hcl/snippets.ts";
import { ProblemList } from "../../../base/problems.ts";
import { seededRandom } from "../../../base/random.ts";
import { parseHcl } from "./parse-hcl.ts";

const SEEDS = [...BODIES, ...EXPRESSIONS, ...TEMPLATES];
const CASE_COUNT = 2000;
/** Of the processor: other tests run meanwhile. */
const BULKY_CPU_MS_MAX = 2000;

test("no damaged text makes the parser throw, or point outside of it", () => {
  for (let seed = 1; seed <= CASE_COUNT; seed++) {
    const text = mutateHcl(SEEDS, seededRandom(seed));
    assert.equal(judgeHcl(text), undefined, `seed ${seed}: ${JSON.stringify(text)}`);
  }
});

test("far too much of anything is read, or refused, in time that grows with its length", () => {
  for (const text of bulkyHcl(50_000)) {
    const start = process.cpuUsage();
    parseHcl("bulky.pkr.hcl", text, new ProblemList());
    const { user, system } = process.cpuUsage(start);
    assert.ok((user + system) / 1000 < BULKY_CPU_MS_MAX, `${(user + system) / 1000} ms: ${text.slice(0, 40)}`);
  }
});
