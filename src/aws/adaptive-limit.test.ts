import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/helpers/fake-clock.ts";
import { NEVER } from "../base/never.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import type { CallOutcome, GatePass } from "./call-with-retry.ts";

const OPTIONS = { first: 4, min: 1, max: 8, slowMs: 1000 };

/** Starts as many calls as may be under way. */
async function fill(limit: AdaptiveLimit): Promise<GatePass[]> {
  const passes: GatePass[] = [];
  while (limit.underWay < limit.limit) passes.push(await limit.enter(NEVER));
  return passes;
}

/** A round: as many calls as may be under way, which all end so. */
async function round(limit: AdaptiveLimit, outcome: CallOutcome, clock?: { by: FakeClock; tookMs: number }) {
  const passes = await fill(limit);
  clock?.by.advance(clock.tookMs);
  for (const pass of passes) pass.leave(outcome);
}

test("no more calls than the limit are under way, and the next begins when one ends, first come first served", async () => {
  const limit = new AdaptiveLimit({ ...OPTIONS, clock: new FakeClock() });
  const passes = await fill(limit);
  assert.equal(passes.length, 4);
  const begun: string[] = [];
  const later = ["a", "b"].map(async (name) => {
    const pass = await limit.enter(NEVER);
    begun.push(name);
    return pass;
  });
  await Promise.resolve();
  assert.deepEqual(begun, []);
  passes.pop()?.leave("failed");
  await later[0];
  assert.deepEqual(begun, ["a"]);
  passes.pop()?.leave("failed");
  for (const pass of [...(await Promise.all(later)), ...passes]) pass.leave("failed");
  assert.deepEqual(begun, ["a", "b"]);
  assert.equal(limit.underWay, 0);
});

test("rounds that go well raise the limit by about one each, up to the most", async () => {
  const limit = new AdaptiveLimit({ ...OPTIONS, clock: new FakeClock() });
  const limits: number[] = [];
  for (let index = 0; index < 7; index++) {
    await round(limit, "done");
    limits.push(limit.limit);
  }
  assert.deepEqual(limits, [4, 5, 6, 7, 8, 8, 8]);
});

test("a round with one call too many halves the limit once, however many of its calls are refused", async () => {
  const limit = new AdaptiveLimit({ ...OPTIONS, first: 8, clock: new FakeClock() });
  await round(limit, "overloaded");
  assert.equal(limit.limit, 4);
  await round(limit, "overloaded");
  assert.equal(limit.limit, 2);
  for (let index = 0; index < 3; index++) await round(limit, "overloaded");
  assert.equal(limit.limit, 1);
});

test("after a halving, as many calls have to end as are too many before the next begins", async () => {
  const limit = new AdaptiveLimit({ ...OPTIONS, clock: new FakeClock() });
  const [first, second, third, fourth] = await fill(limit);
  first?.leave("overloaded");
  let hasBegun = false;
  const next = limit.enter(NEVER).then((pass) => {
    hasBegun = true;
    return pass;
  });
  second?.leave("done");
  await Promise.resolve();
  assert.equal(hasBegun, false);
  third?.leave("done");
  (await next).leave("done");
  fourth?.leave("done");
  assert.equal(limit.underWay, 0);
});

test("the limit does not grow while it is not used up, nor while calls are slow", async () => {
  const clock = new FakeClock();
  const limit = new AdaptiveLimit({ ...OPTIONS, clock });
  for (let index = 0; index < 20; index++) (await limit.enter(NEVER)).leave("done");
  assert.equal(limit.limit, 4);
  for (let index = 0; index < 5; index++) await round(limit, "done", { by: clock, tookMs: 1000 });
  assert.equal(limit.limit, 4);
  for (let index = 0; index < 2; index++) await round(limit, "done", { by: clock, tookMs: 999 });
  assert.equal(limit.limit, 5);
});

test("whoever waits for a turn ends with the signal, and gives its turn to the next", async () => {
  const limit = new AdaptiveLimit({ ...OPTIONS, first: 1, clock: new FakeClock() });
  const [pass] = await fill(limit);
  const controller = new AbortController();
  const cancelled = limit.enter(controller.signal);
  const next = limit.enter(NEVER);
  controller.abort(new Error("cancelled"));
  await assert.rejects(cancelled, /^Error: cancelled$/);
  await assert.rejects(limit.enter(controller.signal), /^Error: cancelled$/);
  pass?.leave("done");
  (await next).leave("done");
  assert.equal(limit.underWay, 0);
});
