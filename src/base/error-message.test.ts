import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeError, encodeError } from "./error-message.ts";
import { ToolError } from "./errors.ts";

test("an error arrives with its code, hint, fault and causes", () => {
  const cause = new Error("ENOSPC");
  const sent = new ToolError("ERR_IMPORT", "Cannot import", { cause, hint: "Make room", fault: "usage" });
  const arrived = decodeError(JSON.parse(JSON.stringify(encodeError(sent))));
  assert.ok(arrived instanceof ToolError);
  const { code, message, hint, fault } = arrived;
  assert.deepEqual(
    { code, message, hint, fault },
    { code: "ERR_IMPORT", message: "Cannot import", hint: "Make room", fault: "usage" },
  );
  assert.equal((arrived.cause as Error).message, "ENOSPC");
});

test("an error of the daemon's own arrives as one, with the place where it was thrown", () => {
  const sent = new TypeError("broken");
  const arrived = decodeError(JSON.parse(JSON.stringify(encodeError(sent))));
  assert.equal(arrived instanceof ToolError, false);
  assert.equal(arrived.message, "broken");
  assert.equal(arrived.stack, sent.stack);
});
