// Damages HCL2 for a long time and asks its parser of it: never an exception, a place in the text for each problem; and far
// too much of anything in time that grows with its length. `npx tsx bench/fuzz-hcl.ts --seconds 600 --seed 1`; with
// `--mib 4`, only the texts of that length.
import { parseArgs } from "node:util";
import { ProblemList } from "../src/base/problems.ts";
import { seededRandom } from "../src/base/random.ts";
import { parseHcl } from "../src/template/hcl2/syntax/parse-hcl.ts";
import { bulkyHcl } from "../test/helpers/hcl/bulky-hcl.ts";
import { judgeHcl } from "../test/helpers/hcl/judge-hcl.ts";
import { mutateHcl } from "../test/helpers/hcl/mutate-hcl.ts";
import { BODIES, EXPRESSIONS, TEMPLATES } from "../test/helpers/hcl/snippets.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    seconds: { type: "string", default: "60" },
    mib: { type: "string" },
  },
});

if (values.mib === undefined) fuzz(Number(values.seed), performance.now() + Number(values.seconds) * 1000);
else measureBulky(Number(values.mib) * 1024 * 1024);

function fuzz(firstSeed: number, untilMs: number): void {
  const texts = [...BODIES, ...EXPRESSIONS, ...TEMPLATES];
  let slowest = { ms: 0, text: "" };
  let seed = firstSeed;
  for (; performance.now() < untilMs; seed++) {
    const text = mutateHcl(texts, seededRandom(seed));
    const startMs = performance.now();
    const complaint = judgeHcl(text);
    const ms = performance.now() - startMs;
    if (ms > slowest.ms) slowest = { ms, text };
    if (complaint === undefined) continue;
    console.log(`seed ${seed}: ${complaint}\n${JSON.stringify(text)}`);
    process.exitCode = 1;
  }
  console.log(`${seed - firstSeed} texts from seed ${firstSeed}; the slowest took ${slowest.ms.toFixed(0)} ms`);
}

function measureBulky(length: number): void {
  for (const text of bulkyHcl(length)) {
    const start = process.cpuUsage();
    const body = parseHcl("bulky.pkr.hcl", text, new ProblemList());
    const ms = process.cpuUsage(start).user / 1000;
    console.log(
      `${ms.toFixed(0).padStart(6)} ms  ${body === undefined ? "refused" : "read   "}  ${JSON.stringify(text.slice(0, 30))}`,
    );
  }
}
