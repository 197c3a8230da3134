import assert from "node:assert/strict";
import { test } from "node:test";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { ToolError } from "../../base/errors.ts";
import { Interruption } from "../abort-on-signals.ts";
import { createColours } from "./colours.ts";
import { errorReport } from "./error-report.ts";
import { formatError } from "./format-error.ts";

const lines = (thrown: unknown) => formatError(errorReport(thrown), createColours(false));

test("an error is told with its causes and the nearest hint", () => {
  const kernel = new ToolError("ERR_COMMAND_FAILED", 'Cannot run "mount": exit code is 32: wrong fs type', {
    hint: "far",
  });
  const error = new ToolError("ERR_MOUNT_FAILED", 'Cannot mount "/dev/x" on "/mnt/a"', {
    cause: kernel,
    hint: "blkid /dev/x",
  });
  assert.deepEqual(lines(error), [
    'Error: Cannot mount "/dev/x" on "/mnt/a"',
    '  caused by: Cannot run "mount": exit code is 32: wrong fs type',
    "  hint: blkid /dev/x",
  ]);
});

test("the hint of a cause is told if the error has none", () => {
  const cause = new ToolError("ERR_X", "inner", { hint: "do this" });
  assert.equal(errorReport(new ToolError("ERR_Y", "outer", { cause })).hint, "do this");
});

test("a cause that the message quotes already is not told twice", () => {
  const cause = new Error("connect ECONNREFUSED 127.0.0.1:1");
  const error = new ToolError("ERR_AWS", `Cannot DescribeImages: ${cause.message}`, { cause });
  assert.deepEqual(errorReport(error).causes, []);
});

test("an AWS error among the causes is told with its code", () => {
  const cause = Object.assign(new Error("The volume does not exist."), { name: "InvalidVolume.NotFound" });
  assert.deepEqual(errorReport(new ToolError("ERR_X", "Cannot attach", { cause })).causes, [
    "InvalidVolume.NotFound: The volume does not exist.",
  ]);
});

test("a cause without a message is told by its code", () => {
  const refused = Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" });
  assert.deepEqual(errorReport(new ToolError("ERR_X", "Cannot connect", { cause: refused })).causes, ["ECONNREFUSED"]);
});

test("what failed first stands first, and failed releases after it in their order", async () => {
  const work = async () => {
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Promise.reject(new ToolError("ERR_B", "Cannot delete the volume")));
    stack.defer(() => Promise.reject(new ToolError("ERR_A", "Cannot unmount", { cause: new Error("target is busy") })));
    throw new ToolError("ERR_ROOT", "Cannot run the script");
  };
  const thrown = await work().catch((error: unknown) => error);
  assert.deepEqual(lines(thrown), [
    "Error: Cannot run the script",
    "  cleanup also failed: Cannot unmount: target is busy",
    "  cleanup also failed: Cannot delete the volume",
  ]);
  assert.equal(errorReport(thrown).code, "ERR_ROOT");
});

test("the problems of a template are told with file, line and column", () => {
  const problems = [
    {
      location: { file: "t.json", line: 3, column: 5 },
      message: 'Unknown key "ami_nam"',
      hint: 'Did you mean "ami_name"?',
    },
    { message: 'Variable "x" has no value' },
  ];
  const error = Object.assign(new ToolError("ERR_TEMPLATE", 'Cannot use the template "t.json": it has 2 problems'), {
    problems,
  });
  assert.deepEqual(lines(error), [
    'Error: Cannot use the template "t.json": it has 2 problems',
    '  t.json:3:5: Unknown key "ami_nam"',
    '    hint: Did you mean "ami_name"?',
    '  Variable "x" has no value',
  ]);
});

test("the lines of a message stay under its first", () => {
  assert.deepEqual(lines(new ToolError("ERR_X", "Cannot run it: exit code is 1: one\ntwo\n\nthree")), [
    "Error: Cannot run it: exit code is 1: one",
    "    two",
    "    three",
  ]);
});

test("anything that is not a ToolError is ours: with its stack and a request to report it", () => {
  const report = errorReport(new TypeError("x is undefined"));
  assert.equal(report.code, "ERR_INTERNAL");
  const text = formatError(report, createColours(false));
  assert.equal(text[0], "Error: Internal error: x is undefined");
  assert.match(text.join("\n"), /TypeError: x is undefined\n {2}at .*error-report\.test\.ts/);
  assert.match(text.at(-1) ?? "", /^ {2}This is a bug in amibake: please report it/);
  assert.equal(errorReport("just text").message, "just text");
});

test("an interruption is no bug, also inside Node's AbortError", () => {
  const reason = new Interruption("Received SIGINT");
  const wrapped = Object.assign(new Error("The operation was aborted", { cause: reason }), { name: "AbortError" });
  for (const thrown of [reason, wrapped]) {
    assert.deepEqual(errorReport(thrown), {
      code: "ERR_INTERRUPTED",
      message: "Received SIGINT",
      causes: [],
      cleanup: [],
    });
  }
});
