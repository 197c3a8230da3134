import assert from "node:assert/strict";
import { test } from "node:test";
import { sanitise, sanitiseKeepingColours } from "./sanitise.ts";

test("sanitise() removes what moves the cursor, clears, sets titles and rings", () => {
  assert.equal(sanitise("a\x1b[2J\x1b[1;1Hb\x07c\bd\re\x1b]0;title\x07f\x1b]8;;http://x\x1b\\g"), "abcdefg");
  assert.equal(sanitise("\x1b(Bx\x1bcy\x9b2Jz"), "xy2Jz");
  assert.equal(sanitise("\x1bP1$r0m\x1b\\done"), "done");
});

test("sanitise() keeps tabs and text of any script", () => {
  assert.equal(sanitise("a\tbäö 漢字 🙂"), "a\tbäö 漢字 🙂");
});

test("sanitise() removes what reorders text", () => {
  assert.equal(sanitise("user\u202egnp.exe"), "usergnp.exe");
});

test("sanitise() removes an escape sequence that does not end", () => {
  assert.equal(sanitise("a\x1b]0;title"), "a");
  assert.equal(sanitise("a\x1b"), "a");
});

test("sanitiseKeepingColours() keeps colours only, and ends them", () => {
  assert.equal(sanitiseKeepingColours("\x1b[31mred\x1b[2K\x1b[0m"), "\x1b[31mred\x1b[0m\x1b[0m");
  assert.equal(sanitiseKeepingColours("plain\x1b[1A"), "plain");
});
