import assert from "node:assert/strict";
import { test } from "node:test";
import { createMask } from "./mask.ts";

test("createMask() replaces each secret wherever it stands", () => {
  const mask = createMask(["hunter2", "s3cr3t"]);
  assert.equal(mask("a hunter2, b=s3cr3ts3cr3t"), "a <sensitive>, b=<sensitive><sensitive>");
});

test("createMask() replaces the longer of two secrets that begin alike", () => {
  assert.equal(createMask(["pass", "password"])("password pass"), "<sensitive> <sensitive>");
});

test("createMask() takes secrets literally", () => {
  assert.equal(createMask(["a.c*"])("abc a.c* accc"), "abc <sensitive> accc");
});

test("createMask() finds a secret that a command line quotes", () => {
  assert.equal(createMask(["it's"])(`echo 'it'\\''s'`), "echo <sensitive>");
});

test("createMask() replaces each line of a secret that has several", () => {
  const mask = createMask(["-----BEGIN KEY-----\r\nMIIEow==\n}"]);
  assert.equal(mask("  MIIEow==  }"), "  <sensitive>  }");
  assert.equal(mask("-----BEGIN KEY-----"), "<sensitive>");
});

test("createMask() does nothing for secrets that are empty", () => {
  assert.equal(createMask(["", ""])("a '' b"), "a '' b");
});
