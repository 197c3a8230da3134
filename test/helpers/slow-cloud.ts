import { setImmediate } from "node:timers/promises";
import type { LocalCloudOptions } from "../../src/local-cloud/server.ts";
import { FakeClock } from "./fake-clock.ts";
import { type CloudFixture, startCloudFixture } from "./local-cloud-fixture.ts";

/** A cloud that is as slow as AWS, on a clock that moves only when it is told to. */
export interface SlowCloud extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly fixture: CloudFixture;
  /** Waits for a call, letting as much time pass as its answer takes, and no more. */
  call<T>(call: Promise<T>): Promise<T>;
  /** Lets time pass, and what it ends happen. */
  pass(durationMs: number): Promise<void>;
}

/** No answer takes longer with this seed, and no change of state is over sooner. */
const ANSWER_MS_MAX = 400;

export async function startSlowCloud(options: Partial<LocalCloudOptions> = {}): Promise<SlowCloud> {
  const clock = new FakeClock();
  const fixture = await startCloudFixture({ clock, latency: "aws", seed: 5, ...options });
  return {
    clock,
    fixture,
    async call(call) {
      let isSettled = false;
      const settled = call.finally(() => {
        isSettled = true;
      });
      settled.catch(() => undefined);
      while (!isSettled) {
        const nowMs = clock.now();
        const waitsMs = clock.endsOfWaitsMs
          .map((untilMs) => untilMs - nowMs)
          .filter((waitMs) => waitMs <= ANSWER_MS_MAX);
        if (waitsMs.length > 0) clock.advance(Math.ceil(Math.min(...waitsMs)));
        await setImmediate();
      }
      return settled;
    },
    async pass(durationMs) {
      clock.advance(durationMs);
      for (let turn = 0; turn < 50; turn++) await setImmediate();
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}
