import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import { deadlineWithin, systemClock, timeoutSignal } from "./clock.ts";

test("timeoutSignal() aborts when its time is over, by the clock that it is given", async () => {
  const start = performance.now();
  using timeout = timeoutSignal(scaledClock(1000), 30_000);
  assert.equal(timeout.aborted, false);
  await new Promise((resolve) => timeout.addEventListener("abort", resolve, { once: true }));
  assert.equal((timeout.reason as Error).name, "TimeoutError");
  assert.ok(performance.now() - start < 5000);
});

test("timeoutSignal() never aborts once it is disposed of, and leaves no timer", async () => {
  const timerCount = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const timersBefore = timerCount();
  const timeout = timeoutSignal(systemClock, 60_000);
  timeout[Symbol.dispose]();
  await systemClock.sleep(1);
  assert.equal(timeout.aborted, false);
  assert.equal(timerCount(), timersBefore);
});

test("deadlineWithin() ends with the time, which it tells, or with the signal", async () => {
  const controller = new AbortController();
  using timed = deadlineWithin(controller.signal, scaledClock(1000), 10_000);
  await new Promise((resolve) => timed.signal.addEventListener("abort", resolve, { once: true }));
  assert.deepEqual([timed.isOver, (timed.signal.reason as Error).name], [true, "TimeoutError"]);
  using cancelled = deadlineWithin(controller.signal, systemClock, 60_000);
  controller.abort(new Error("stop"));
  assert.deepEqual([cancelled.isOver, (cancelled.signal.reason as Error).message], [false, "stop"]);
  using late = deadlineWithin(controller.signal, systemClock, 60_000);
  assert.deepEqual([late.isOver, (late.signal.reason as Error).message], [false, "stop"]);
});

test("deadlineWithin() leaves neither a timer nor a listener when it is disposed of", async () => {
  const timerCount = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const timersBefore = timerCount();
  const { signal } = new AbortController();
  for (let count = 0; count < 3; count++) deadlineWithin(signal, systemClock, 60_000)[Symbol.dispose]();
  await systemClock.sleep(1);
  assert.equal(timerCount(), timersBefore);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("sleep() takes more than a timer of Node does", async (context) => {
  const setTimer = globalThis.setTimeout;
  const delays: number[] = [];
  context.mock.method(globalThis, "setTimeout", (work: () => void, delayMs: number) => {
    delays.push(delayMs);
    return setTimer(work, 0);
  });
  const thirtyDaysMs = 30 * 86_400_000;
  await systemClock.sleep(thirtyDaysMs);
  assert.deepEqual(delays, [2 ** 31 - 1, thirtyDaysMs - (2 ** 31 - 1)]);
});

test("sleep() throws the reason of the signal, also while it sleeps", async () => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort(new Error("Received SIGINT"));
  await assert.rejects(sleeping, { message: "Received SIGINT" });
  await assert.rejects(systemClock.sleep(1, controller.signal), { message: "Received SIGINT" });
});
