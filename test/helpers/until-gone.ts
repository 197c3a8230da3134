import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** Waits a moment for what ends by itself. */
export async function untilGone(look: () => Promise<readonly string[]>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while ((await look()).length > 0 && performance.now() < deadline) await delay(50);
  assert.deepEqual(await look(), []);
}
