import assert from "node:assert/strict";
import { test } from "node:test";
import { retry } from "./retry.ts";

const never = new AbortController().signal;

function policy(sleepsMs: number[] = []) {
  return {
    attemptsMax: 4,
    backoffMsFirst: 100,
    backoffMsMax: 250,
    isTransient: (error: unknown) => String(error).includes("busy"),
    random: () => 0.5,
    clock: {
      now: () => 0,
      async sleep(durationMs: number) {
        sleepsMs.push(durationMs);
      },
    },
  };
}

test("retry() tries a transient failure again, backing off to the ceiling", async () => {
  const sleepsMs: number[] = [];
  let calls = 0;
  const answer = await retry(
    async () => (++calls < 4 ? Promise.reject(new Error("busy")) : calls),
    policy(sleepsMs),
    never,
  );
  assert.equal(answer, 4);
  assert.deepEqual(sleepsMs, [75, 150, 187.5]);
});

test("retry() gives up after attemptsMax with the last error", async () => {
  let calls = 0;
  const work = async () => Promise.reject(new Error(`busy ${++calls}`));
  await assert.rejects(retry(work, policy(), never), { message: "busy 4" });
});

test("retry() does not try a permanent failure again", async () => {
  let calls = 0;
  const work = async () => Promise.reject(new Error(`denied ${++calls}`));
  await assert.rejects(retry(work, policy(), never), { message: "denied 1" });
});

test("retry() tells of each retry, and stops when it is cancelled", async () => {
  const controller = new AbortController();
  const told: number[] = [];
  const work = async () => {
    if (told.length === 1) controller.abort(new Error("stop"));
    throw new Error("busy");
  };
  const options = { ...policy(), onRetry: (attempt: number) => told.push(attempt) };
  await assert.rejects(retry(work, options, controller.signal), { message: "busy" });
  assert.deepEqual(told, [1]);
});
