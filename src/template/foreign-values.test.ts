import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../base/never.ts";
import { type ForeignRequest, ForeignValueError, readWithForeignValues } from "./foreign-values.ts";

const consul = (key: string): ForeignRequest => ({ service: "consul", key });

test("readWithForeignValues() reads once where nothing is asked for", async () => {
  let readings = 0;
  const result = await readWithForeignValues(
    () => ++readings,
    () => assert.fail("nothing was asked for"),
    NEVER,
  );
  assert.equal(result, 1);
});

test("readWithForeignValues() fetches equal requests once, and what one answer makes known in the next reading", async () => {
  const fetched: string[] = [];
  const result = await readWithForeignValues(
    (values) => {
      const name = values.get(consul("name"));
      if (name === undefined || values.get(consul("name")) === undefined) throw new Error("not yet");
      return values.get(consul(name));
    },
    async (request) => {
      const { key } = request as { key: string };
      fetched.push(key);
      return `<${key}>`;
    },
    NEVER,
  );
  assert.equal(result, "<<name>>");
  assert.deepEqual(fetched, ["name", "<name>"]);
});

test("readWithForeignValues() throws a failed answer where the value is asked for", async () => {
  const read = (values: { get(request: ForeignRequest): string | undefined }) => {
    try {
      return values.get(consul("name")) ?? "not yet";
    } catch (error) {
      assert.ok(error instanceof ForeignValueError);
      return `caught: ${error.message}`;
    }
  };
  const result = await readWithForeignValues(read, () => Promise.reject(new Error("refused")), NEVER);
  assert.equal(result, 'caught: Cannot fetch a value from "consul": refused');
});

test("readWithForeignValues() gives up on a template that asks for something new each time", async () => {
  let count = 0;
  const reading = readWithForeignValues(
    (values) => values.get(consul(String(count++))),
    () => Promise.resolve("value"),
    NEVER,
  );
  await assert.rejects(reading, /after 10 readings it still asks for new values of "consul"/);
});

test("readWithForeignValues() ends with the signal's reason", async () => {
  const controller = new AbortController();
  const reading = readWithForeignValues(
    (values) => values.get(consul("name")),
    () => {
      controller.abort(new Error("cancelled"));
      return Promise.reject(new Error("broken off"));
    },
    controller.signal,
  );
  await assert.rejects(reading, /^Error: cancelled$/);
});
