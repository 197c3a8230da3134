import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceNameFor } from "./choose-device-name.ts";

test("deviceNameFor() gives EC2's label for a path: that of the kernel for names of two letters only", async () => {
  for (const [path, name] of [
    ["/dev/sdy", "/dev/sdy"],
    ["/dev/xvdy", "/dev/sdy"],
    ["/dev/xvdy1", "/dev/sdy1"],
    ["/dev/xvddx", "/dev/xvddx"],
  ] as const) {
    assert.equal(await deviceNameFor(path), name);
  }
});
