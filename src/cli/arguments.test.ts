import assert from "node:assert/strict";
import { test } from "node:test";
import { rewriteOptions, takeMachineReadable } from "./arguments.ts";

const KNOWN = { withValue: new Set(["var", "var-file", "on-error", "only"]), boolean: new Set(["color", "debug"]) };
const rewrite = (...argv: readonly string[]) => rewriteOptions(argv, KNOWN);

test("rewriteOptions() gives long options a second dash, with = or without", () => {
  assert.deepEqual(
    rewrite("build", "-var", "a=b", "-var-file=x.json", "-on-error=cleanup", "-only", "one,two", "t.json"),
    ["build", "--var", "a=b", "--var-file=x.json", "--on-error=cleanup", "--only", "one,two", "t.json"],
  );
});

test("rewriteOptions() leaves options that have two dashes as they are", () => {
  assert.deepEqual(rewrite("build", "--var", "a=b", "--debug"), ["build", "--var", "a=b", "--debug"]);
});

test("rewriteOptions() leaves a value alone that looks like an option", () => {
  assert.deepEqual(rewrite("-var", "-name=-x", "--var", "-debug=1"), ["--var", "-name=-x", "--var", "-debug=1"]);
});

test("rewriteOptions() keeps line ends in a value", () => {
  assert.deepEqual(rewrite("-var=key=one\ntwo"), ["--var=key=one\ntwo"]);
});

test("rewriteOptions() takes every boolean that Go takes", () => {
  for (const no of ["0", "f", "F", "false", "FALSE", "False"])
    assert.deepEqual(rewrite(`-color=${no}`), ["--no-color"]);
  for (const yes of ["1", "t", "T", "true", "TRUE", "True"]) assert.deepEqual(rewrite(`--color=${yes}`), ["--color"]);
});

test("rewriteOptions() refuses a boolean that is none", () => {
  assert.throws(() => rewrite("-color=maybe"), {
    code: "ERR_USAGE",
    message: 'Cannot read "-color=maybe" as true or false',
    fault: "usage",
  });
});

test("rewriteOptions() does not take the argument after a boolean for its value", () => {
  assert.deepEqual(rewrite("-debug", "-color", "t.json"), ["--debug", "--color", "t.json"]);
});

test("rewriteOptions() leaves short options, standard input and what follows -- alone", () => {
  assert.deepEqual(rewrite("-h", "-", "--", "-var"), ["-h", "-", "--", "-var"]);
});

test("rewriteOptions() hands an unknown long option on, for the parser to refuse", () => {
  assert.deepEqual(rewrite("-onerror=ask", "t.json"), ["--onerror=ask", "t.json"]);
});

test("takeMachineReadable() finds it anywhere", () => {
  assert.deepEqual(takeMachineReadable(["-machine-readable", "build", "t.json"]), {
    argv: ["build", "t.json"],
    isMachineReadable: true,
  });
  assert.deepEqual(takeMachineReadable(["build", "t.json"]), { argv: ["build", "t.json"], isMachineReadable: false });
});
