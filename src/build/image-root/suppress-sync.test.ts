import assert from "node:assert/strict";
import { test } from "node:test";
import { createSyncLauncher } from "../../linux/sandbox/sync-launcher.ts";
import type { BuildEvent } from "../build-events.ts";
import { createFindSyncLauncher } from "./suppress-sync.ts";

test("the builds of a run look once for what suppresses fsync, and one tells why there is none", async () => {
  const events: BuildEvent[] = [];
  let looks = 0;
  const find = createFindSyncLauncher(() => {
    looks++;
    return createSyncLauncher("riscv64");
  });
  const found = await Promise.all([1, 2, 3].map(() => find((event) => events.push(event))));
  assert.deepEqual(found, [undefined, undefined, undefined]);
  assert.equal(looks, 1);
  const text = "Cannot suppress fsync in the image: no filter is known for riscv64. The build goes on, slower";
  assert.deepEqual(events, [{ type: "message", text }]);
});
