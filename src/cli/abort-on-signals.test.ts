import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { abortOnSignals } from "./abort-on-signals.ts";

// Only `on` and `off` of the process are used.
const fakeProcess = () => new EventEmitter() as NodeJS.Process;

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`abortOnSignals() aborts at ${name}, and ends the process at the next one, as something may be left`, () => {
    const exits: unknown[] = [];
    const target = Object.assign(fakeProcess(), {
      stderr: { write: (text: string) => exits.push(text) },
      exit: (code: number) => exits.push(code),
    }) as unknown as NodeJS.Process;
    using signal = abortOnSignals(target);
    target.emit(name, name);
    assert.equal(signal.aborted, true);
    assert.equal((signal.reason as Error).name, "Interruption");
    assert.equal((signal.reason as Error).message, `Received ${name}`);
    assert.deepEqual(exits, []);
    target.emit("SIGTERM", "SIGTERM");
    assert.match(String(exits[0]), /SIGTERM again: what was made is left behind.*amibake clean/);
    assert.equal(exits[1], 3);
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
