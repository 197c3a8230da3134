import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../base/clock.ts";
import { waitFor } from "./wait.ts";

/** Time that passes only while somebody sleeps. */
function steppingClock(): Clock & { sleepsMs: number[] } {
  let nowMs = 0;
  const sleepsMs: number[] = [];
  return {
    sleepsMs,
    now: () => nowMs,
    async sleep(durationMs, signal) {
      signal?.throwIfAborted();
      sleepsMs.push(durationMs);
      nowMs += durationMs;
    },
  };
}

const never = new AbortController().signal;
const doneAfter = (clock: Clock, durationMs: number) => async () => (clock.now() >= durationMs ? "done" : undefined);

test("waitFor() asks at once, and does not sleep for what is there", async () => {
  const clock = steppingClock();
  const answer = await waitFor(async () => 7, { what: "it", deadlineMs: 1000, signal: never, clock });
  assert.equal(answer, 7);
  assert.deepEqual(clock.sleepsMs, []);
});

test("waitFor() adds at most 5 % or half a second to a wait of any length", async () => {
  for (const durationMs of [1500, 4000, 60_000, 180_000, 3_600_000]) {
    const clock = steppingClock();
    await waitFor(doneAfter(clock, durationMs), { what: "it", deadlineMs: 1e9, signal: never, clock });
    const lateMs = clock.now() - durationMs;
    assert.ok(lateMs <= Math.max(500, durationMs * 0.05), `${lateMs} ms late after ${durationMs} ms`);
  }
});

test("waitFor() makes fewer than 200 calls in ten minutes", async () => {
  const clock = steppingClock();
  await waitFor(doneAfter(clock, 600_000), { what: "it", deadlineMs: 1e9, signal: never, clock });
  assert.ok(clock.sleepsMs.length < 200, `${clock.sleepsMs.length} calls`);
});

test("waitFor() ends past the deadline and says what it waited for", async () => {
  const clock = steppingClock();
  const wait = waitFor(async () => undefined, {
    what: "volume vol-1 to become available",
    deadlineMs: 5000,
    signal: never,
    clock,
  });
  await assert.rejects(wait, { message: "Cannot wait longer than 5.3 s for volume vol-1 to become available" });
});

test("waitFor() does exactly what aws_polling says", async () => {
  const clock = steppingClock();
  const polling = { delayMs: 15_000, attemptsMax: 3 };
  const wait = waitFor(async () => undefined, { what: "it", deadlineMs: 1, polling, signal: never, clock });
  await assert.rejects(wait, { hint: "Raise max_attempts of aws_polling, or leave aws_polling out of the template" });
  assert.deepEqual(clock.sleepsMs, [15_000, 15_000]);
});

test("waitFor() throws the reason when it is cancelled, and passes on what look throws", async () => {
  const cancelled = AbortSignal.abort(new Error("Received SIGINT"));
  await assert.rejects(
    waitFor(async () => undefined, { what: "it", deadlineMs: 1000, signal: cancelled, clock: systemClock }),
    {
      message: "Received SIGINT",
    },
  );
  const failing = async () => {
    throw new Error("its state is error");
  };
  await assert.rejects(waitFor(failing, { what: "it", deadlineMs: 1000, signal: never, clock: systemClock }), {
    message: "its state is error",
  });
});
