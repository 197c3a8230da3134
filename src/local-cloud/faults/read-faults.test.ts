import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemList } from "../../base/problems.ts";
import { FAULT_NAMES } from "./fault-kinds.ts";
import { readFaults } from "./read-faults.ts";

function read(text: string) {
  const problems = new ProblemList();
  const plan = readFaults("f.json", text, problems);
  const lines = problems
    .sorted([])
    .map(({ location, message, hint }) =>
      [`${location?.line}:${location?.column} ${message}`, ...(hint === undefined ? [] : [hint])].join(" | "),
    );
  return { plan, lines };
}

const NAMES = FAULT_NAMES.join(", ");

/** The rule alone, without what is not set. */
function rule(text: string) {
  const { plan, lines } = read(`{"faults": [${text}]}`);
  assert.deepEqual(lines, []);
  return JSON.parse(JSON.stringify(plan?.faults[0]));
}

test("A rule strikes every action and call unless it says otherwise", () => {
  assert.deepEqual(rule('{"fault": "throttle"}'), { fault: "throttle", actions: ["*"] });
  assert.deepEqual(read('{"faults": []}').plan, { seed: 1, faults: [] });
  assert.deepEqual(
    rule('{"fault": "slow", "action": ["CreateVolume", "Describe*"], "calls": 3, "seconds": 0.5, "times": 2}'),
    { fault: "slow", actions: ["CreateVolume", "Describe*"], calls: [3], times: 2, seconds: 0.5 },
  );
  assert.deepEqual(rule('{"fault": "denied", "action": "AssumeRole", "calls": [1, 2], "share": 0.5, "burst": 4}'), {
    fault: "denied",
    actions: ["AssumeRole"],
    calls: [1, 2],
    share: 0.5,
    burst: 4,
  });
});

test("All that is wrong is told at once, with its place, what may be there, and what was probably meant", () => {
  const { lines } = read(`{
  "sed": 7,
  "faults": [
    {"fault": "throtle", "action": "CreateVolumes", "first": 0},
    {"fault": "slow", "calls": [1, "2"], "first": 1},
    {"fault": "throttle", "seconds": 3, "share": 1.5, "action": 5},
    {"action": "*"},
    "throttle"
  ]
}`);
  assert.deepEqual(lines, [
    '2:3 Unknown key "sed" of the fault file | Did you mean "seed"?',
    `4:15 "fault" must be one of ${NAMES}, not "throtle" | Did you mean "throttle"?`,
    '4:36 The local cloud has no action "CreateVolumes" | Did you mean "CreateVolume"?',
    '4:62 "first" must be a whole number from 1 to 1000000000, not 0',
    '5:5 A rule has one of "calls", "first", "from", not "calls" and "first"',
    '5:5 The key "seconds" is missing: how long "slow" lasts',
    '5:36 "calls" must be a whole number from 1 to 1000000000, not "2"',
    '6:27 "throttle" takes no "seconds"',
    '6:50 "share" must be a number from 0 to 1, not 1.5',
    '6:65 "action" must be text or a list of it, not 5',
    `7:5 The key "fault" is missing: one of ${NAMES}`,
    '8:5 The rule must be an object, not "throttle"',
  ]);
});

test("What is no list of rules is refused", () => {
  assert.deepEqual(read("{}").lines, ['1:1 The key "faults" is missing: a list of rules']);
  assert.deepEqual(read('{"faults": {}}').lines, ['1:12 "faults" must be a list of rules, not an object']);
  assert.deepEqual(read('{"faults": [,]}').lines, ["1:13 A value is missing"]);
  assert.deepEqual(read("").lines, ["1:1 The file is empty; it must be a JSON object"]);
  assert.deepEqual(read("[]").lines, ["1:1 The fault file must be an object, not a list"]);
});
