import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { repeatableInput } from "./repeatable-input.ts";

test("repeatableInput() gives all chunks each time, also after a reading that ended early", async () => {
  const input = repeatableInput(() => Readable.from(["a", "b", "c"]));
  const [first] = await takeFrom(input, 1);
  assert.equal(first, "a");
  assert.deepEqual(await takeFrom(input, 9), ["a", "b", "c"]);
  assert.deepEqual(await takeFrom(input, 9), ["a", "b", "c"]);
});

async function takeFrom(input: () => AsyncIterable<unknown>, countMax: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  for await (const chunk of input()) {
    taken.push(chunk);
    if (taken.length === countMax) break;
  }
  return taken;
}
