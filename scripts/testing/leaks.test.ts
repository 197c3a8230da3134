import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { watchForLeaks } from "./leaks.ts";
import { adoptOrphans } from "./orphans.ts";

test("watchForLeaks() finds and ends a process that its parent left in a session of its own", async () => {
  await using _orphans = adoptOrphans();
  const leaks = await watchForLeaks({ onlyBelow: "/nothing/is/here", settleMs: 300 });
  await runCommand(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 & exit 0"]);
  const found = await leaks.check();
  assert.equal(found.length, 1, found.join("\n"));
  assert.match(found[0] ?? "", /^left behind: process \d+: sleep 4321$/);
  assert.deepEqual(await leaks.check(), [], "it is told once, and ended");
});
