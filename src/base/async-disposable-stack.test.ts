import assert from "node:assert/strict";
import { test } from "node:test";
import { AsyncDisposableStack } from "./async-disposable-stack.ts";
import { flattenFailure } from "./errors.ts";

test("a stack releases last in, first out, and once", async () => {
  const released: number[] = [];
  const stack = new AsyncDisposableStack();
  for (const number of [1, 2, 3]) stack.defer(() => void released.push(number));
  await stack[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  assert.deepEqual(released, [3, 2, 1]);
});

test("move() hands over what the old stack owned", async () => {
  const released: string[] = [];
  const stack = new AsyncDisposableStack();
  stack.defer(() => void released.push("moved"));
  const moved = stack.move();
  await stack[Symbol.asyncDispose]();
  assert.deepEqual(released, []);
  await moved[Symbol.asyncDispose]();
  assert.deepEqual(released, ["moved"]);
  assert.throws(() => stack.defer(() => {}), { message: "Cannot add to a disposed stack" });
});

test("every release runs although others fail, and the first failure stays the primary one", async () => {
  const released: string[] = [];
  const fail = (name: string) => () => {
    released.push(name);
    throw new Error(name);
  };
  const run = async () => {
    await using stack = new AsyncDisposableStack();
    stack.defer(fail("release 1"));
    stack.defer(() => void released.push("release 2"));
    stack.defer(fail("release 3"));
    throw new Error("body");
  };
  const thrown = await run().catch((error: unknown) => error);
  assert.deepEqual(released, ["release 3", "release 2", "release 1"]);
  const { primary, cleanup } = flattenFailure(thrown);
  assert.equal((primary as Error).message, "body");
  assert.deepEqual(
    cleanup.map((error) => (error as Error).message),
    ["release 3", "release 1"],
  );
});
