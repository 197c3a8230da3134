import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL, drawMs, LatencyModel, TRANSITIONS, type TransitionKind } from "./latency.ts";

const DRAW_COUNT = 1_000;
const KINDS = Object.keys(TRANSITIONS) as TransitionKind[];

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

for (const kind of KINDS) {
  test(`The delays of ${kind} have the median and the upper quantile of their distribution`, () => {
    const { medianMs, upperMs, upper } = TRANSITIONS[kind];
    const model = new LatencyModel("aws", 7);
    const draws = Array.from({ length: DRAW_COUNT }, () => model.nextTransitionMs(kind));
    const share = upper === "p95" ? 0.95 : 0.99;
    assert.ok(Math.abs(quantile(draws, 0.5) / medianMs - 1) < 0.1, `median ${quantile(draws, 0.5)} of ${medianMs}`);
    assert.ok(
      Math.abs(quantile(draws, share) / upperMs - 1) < 0.25,
      `${upper} ${quantile(draws, share)} of ${upperMs}`,
    );
  });
}

test("Answers take about 60 ms, and at most 200 ms nineteen times of twenty", () => {
  const draws = Array.from({ length: DRAW_COUNT }, (_, ordinal) => drawMs(CALL, `calls ${ordinal}`));
  assert.ok(Math.abs(quantile(draws, 0.5) / 60 - 1) < 0.1);
  assert.ok(Math.abs(quantile(draws, 0.95) / 200 - 1) < 0.2);
});

for (const [action, medianMs, upperMs] of [
  ["GetSnapshotBlock", 40, 90],
  ["PutSnapshotBlock", 100, 200],
  ["ListSnapshotBlocks", 300, 300],
  ["DescribeSnapshots", 60, 200],
] as const) {
  test(`${action} takes about ${medianMs} ms, and at most ${upperMs} ms nineteen times of twenty`, () => {
    const model = new LatencyModel("aws", 3);
    const draws = Array.from({ length: DRAW_COUNT }, () => model.nextCallMs(action));
    assert.ok(Math.abs(quantile(draws, 0.5) / medianMs - 1) < 0.1, `median ${quantile(draws, 0.5)}`);
    assert.ok(Math.abs(quantile(draws, 0.95) / upperMs - 1) < 0.2, `p95 ${quantile(draws, 0.95)}`);
  });
}

test("The n-th delay of a kind depends on seed, kind and n, not on what else was drawn", () => {
  const quiet = new LatencyModel("aws", 1);
  const busy = new LatencyModel("aws", 1);
  const expected = Array.from({ length: 20 }, () => quiet.nextTransitionMs("CreateVolume"));
  const drawn = Array.from({ length: 20 }, (_, index) => {
    for (let other = 0; other <= index; other++) busy.nextCallMs("DescribeVolumes");
    busy.nextTransitionMs("AttachVolume");
    return busy.nextTransitionMs("CreateVolume");
  });
  assert.deepEqual(drawn, expected);
  assert.equal(new Set(expected).size, 20);
  assert.notDeepEqual(new LatencyModel("aws", 2).nextTransitionMs("CreateVolume"), expected[0]);
});

test("Without latency every delay is nothing", () => {
  const model = new LatencyModel("none", 1);
  assert.deepEqual(
    [...KINDS.map((kind) => model.nextTransitionMs(kind)), model.nextCallMs("DescribeImages")],
    [...KINDS.map(() => 0), 0],
  );
});
