import assert from "node:assert/strict";
import { test } from "node:test";
import { nastyText } from "../../test/helpers/nasty-text.ts";
import { runCommand } from "../linux/run-command.ts";
import { seededRandom } from "./random.ts";
import { shellLine, shellQuote } from "./shell-quote.ts";

const SEED = Date.now() % 1_000_000;

for (const shell of ["/bin/sh", "/bin/bash"]) {
  test(`shellLine() makes words that ${shell} reads as they were, whatever is in them`, async () => {
    const random = seededRandom(SEED);
    const words = Array.from({ length: 500 }, () => nastyText(random, "/nonexistent/canary"));
    const { stdout } = await runCommand([shell, "-c", shellLine(["printf", "%s\\0", ...words])]);
    assert.deepEqual(stdout.toString().split("\0").slice(0, -1), words, `seed ${SEED}`);
  });
}

test("shellQuote() leaves plain words as they are, and an empty one is a word", () => {
  assert.equal(shellQuote("/dev/xvdf1"), "/dev/xvdf1");
  assert.equal(shellQuote(""), "''");
  assert.equal(shellQuote("it's"), `'it'\\''s'`);
  assert.equal(shellQuote("~"), "'~'");
});
