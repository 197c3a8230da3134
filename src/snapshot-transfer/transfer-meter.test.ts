import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/helpers/fake-clock.ts";
import { TransferMeter } from "./transfer-meter.ts";

function rounded(meter: TransferMeter) {
  const { bytesPerSecond, leftMs, ...counts } = meter.progress();
  return {
    ...counts,
    mibPerSecond: Math.round(bytesPerSecond / 1024 ** 2),
    leftSeconds: leftMs && Math.round(leftMs / 1000),
  };
}

test("the pace is that of the last seconds, and what an earlier run did has none", () => {
  const clock = new FakeClock();
  const meter = new TransferMeter(10_000, clock);
  meter.countEarlier(4000);
  assert.deepEqual(rounded(meter), {
    doneBlocks: 4000,
    totalBlocks: 10_000,
    movedBlocks: 0,
    mibPerSecond: 0,
    leftSeconds: undefined,
  });
  const run = (blocks: number, perSecond: number, isMoved: boolean) => {
    for (let block = 0; block < blocks; block++) {
      clock.advance(1000 / perSecond);
      meter.count({ isMoved });
    }
  };
  run(1000, 100, true);
  assert.deepEqual(rounded(meter), {
    doneBlocks: 5000,
    totalBlocks: 10_000,
    movedBlocks: 1000,
    mibPerSecond: 50,
    leftSeconds: 50,
  });
  // Twelve seconds of another pace: the first one is forgotten.
  run(2400, 200, true);
  assert.deepEqual([rounded(meter).mibPerSecond, rounded(meter).leftSeconds], [100, 13]);
  run(2600, 1000, false);
  const { movedBlocks, leftSeconds } = rounded(meter);
  assert.deepEqual([movedBlocks, leftSeconds], [3400, 0]);
});
