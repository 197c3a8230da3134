// Whatever EC2 and EBS do to a build, it ends in an image or in one clear error, and leaves nothing. bench/faults.ts tries
// every fault at every call; here is a sample.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { seededRandom } from "../../src/base/random.ts";
import { acquireTogether, together } from "../../src/base/together.ts";
import type { FaultCase } from "../helpers/fault-cases.ts";
import { openFaultMatrix } from "../helpers/fault-matrix.ts";

/** Each has a local cloud of its own, so a core is not idle while the other waits for a clock. */
const AT_ONCE = 2;

for (const [builder, sampleSize] of [
  ["amazon-chroot", 40],
  ["amazon-direct", 10],
] as const) {
  test(`${sampleSize} faults at calls of an ${builder} build end in an image or a clear error, and leave nothing`, async (context) => {
    const seed = Number(process.env["AMIBAKE_TEST_SEED"] ?? Date.now() % 1_000_000);
    context.diagnostic(`seed ${seed}: repeat with AMIBAKE_TEST_SEED=${seed}`);
    await using owned = new AsyncDisposableStack();
    const matrices = await acquireTogether(
      owned,
      Array.from({ length: AT_ONCE }, () => openFaultMatrix(builder)),
    );
    const sample = drawSample(matrices[0]?.cases ?? [], { sampleSize, random: seededRandom(seed) }).values();
    let struckCount = 0;
    await together(
      matrices.map(async (matrix) => {
        for (const chosen of sample) {
          const { strikeCount, problems } = await matrix.run(chosen);
          assert.deepEqual(problems, [], `${chosen.name} (seed ${seed})`);
          if (strikeCount > 0) struckCount++;
        }
      }),
    );
    assert.ok(struckCount > sampleSize / 2, `only ${struckCount} faults struck`);
  });
}

function drawSample(
  cases: readonly FaultCase[],
  { sampleSize, random }: { readonly sampleSize: number; readonly random: () => number },
): FaultCase[] {
  const left = [...cases];
  return Array.from({ length: sampleSize }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}
