import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { abortOnSignals } from "./abort-on-signals.ts";

// Only `on` and `off` of the process are used.
const fakeProcess = () => new EventEmitter() as NodeJS.Process;

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`abortOnSignals() aborts at ${name}, and leaves the next signal its default meaning`, () => {
    const target = fakeProcess();
    using signal = abortOnSignals(target);
    target.emit(name, name);
    assert.equal(signal.aborted, true);
    assert.equal((signal.reason as Error).name, "Interruption");
    assert.equal((signal.reason as Error).message, `Received ${name}`);
    for (const next of ["SIGINT", "SIGTERM", "SIGHUP"]) assert.equal(target.listenerCount(next), 0);
  });
}

test("abortOnSignals() aborts with an exception that nobody caught", () => {
  const target = fakeProcess();
  using signal = abortOnSignals(target);
  const bug = new TypeError("x is undefined");
  target.emit("uncaughtException", bug);
  assert.equal(signal.reason, bug);
});

test("abortOnSignals() gives everything back when it is disposed of", () => {
  const target = fakeProcess();
  {
    using signal = abortOnSignals(target);
    assert.equal(signal.aborted, false);
  }
  assert.deepEqual(target.eventNames(), []);
});
