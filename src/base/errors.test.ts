import assert from "node:assert/strict";
import { lstat, readFile } from "node:fs/promises";
import { test } from "node:test";
import { AsyncDisposableStack } from "./async-disposable-stack.ts";
import { explainFailure, flattenFailure, reasonOf } from "./errors.ts";

test("reasonOf() leaves out of a system error which path this process used", async () => {
  const reasons = await Promise.all([
    lstat("/no, such/file'").catch(reasonOf),
    readFile("/").catch(reasonOf),
    Promise.reject(new Error("EPERM: operation not permitted, rename '/a' -> '/b'")).catch(reasonOf),
  ]);
  assert.deepEqual(reasons, [
    "ENOENT: no such file or directory",
    "EISDIR: illegal operation on a directory",
    "EPERM: operation not permitted",
  ]);
});

test("reasonOf() leaves other messages as they are", () => {
  assert.equal(reasonOf(new Error("Cannot read 'x', open '/y'")), "Cannot read 'x', open '/y'");
  assert.equal(reasonOf("text"), "text");
});

test("explainFailure() puts another error in the place of the first one, and keeps what failed while cleaning up", async () => {
  const [first, second, third, reason] = ["first", "second", "third", "reason"].map((text) => new Error(text));
  const stack = new AsyncDisposableStack();
  for (const error of [third, second, first]) stack.defer(() => Promise.reject(error));
  const thrown = await stack[Symbol.asyncDispose]().catch((error: unknown) => error);
  assert.deepEqual(flattenFailure(thrown), { primary: first, cleanup: [second, third] });
  assert.deepEqual(flattenFailure(explainFailure(thrown, reason)), { primary: reason, cleanup: [second, third] });
  assert.equal(explainFailure(first, reason), reason);
});
