import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPattern } from "./build-pattern.ts";

for (const [pattern, name, fits] of [
  ["amazon-chroot.web", "amazon-chroot.web", true],
  ["amazon-chroot.web", "amazon-chrootxweb", false],
  ["*", "", true],
  ["*.web", "nightly.amazon-chroot.web", true],
  ["nightly.*", "weekly.amazon-chroot.web", false],
  ["a**b", "a.x.b", true],
  ["we?", "web", true],
  ["we?", "webs", false],
  ["[ab]x", "bx", true],
  ["[!ab]x", "bx", false],
  ["[a-c]x", "cx", true],
  ["[a-a]x", "ax", true],
  ["[\\]]x", "]x", true],
  ["[!!]x", "!x", false],
  ["[e\\x]", "\\", false],
  ["[!a-c]x", "dx", true],
  ["[a^]x", "^x", true],
  ["*.{web,db}", "amazon-chroot.db", true],
  ["*.{web,db}", "amazon-chroot.cache", false],
  ["{a{b,c},d}", "ac", true],
  ["a\\*", "a*", true],
  ["a\\*", "ab", false],
  ["a,b", "a,b", true],
  ["a}", "a}", true],
  ["{a", "a", true],
  ["{a,b", "b", true],
  ["(a|b)$", "(a|b)$", true],
  ["ä?", "äö", true],
] as const) {
  test(`the pattern ${pattern} ${fits ? "fits" : "does not fit"} "${name}"`, () => {
    assert.equal(buildPattern(pattern)?.test(name), fits);
  });
}

for (const pattern of ["[ab", "[", "[]", "[]]", "[!]", "[a-]", "[c-a]x", "[a-bc]", "a[b-", "{a,["]) {
  test(`the pattern ${pattern} is none`, () => {
    assert.equal(buildPattern(pattern), undefined);
  });
}
