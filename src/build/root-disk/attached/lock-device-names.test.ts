import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";
import { scaledClock } from "../../../../test/helpers/scaled-clock.ts";
import { NEVER } from "../../../base/never.ts";
import { lockFile } from "../../../linux/files/file-lock.ts";
import { lockDeviceNames } from "./lock-device-names.ts";

test("lockDeviceNames() tells who is waited for, and names who does not let go", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-lock-"));
  try {
    const path = join(directory, "lock");
    await using _held = await lockFile(path);
    const told: string[] = [];
    const waiting = lockDeviceNames({ signal: NEVER, clock: scaledClock(2000) }, (text) => told.push(text), path);
    await assert.rejects(waiting, (error: Error) => {
      const who = new RegExp(`^Cannot wait longer than 30 min 0 s for "${path}": process ${process.pid} \\(.+\\)$`);
      assert.match(error.message, who);
      return true;
    });
    assert.match(told[0] ?? "", /choosing its device$/);
    // Who it is takes a look at every process.
    while (told.length < 2) await immediate();
    assert.match(told[1] ?? "", new RegExp(`choosing its device: process ${process.pid} `));
  } finally {
    await rm(directory, { recursive: true });
  }
});
