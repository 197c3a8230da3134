import assert from "node:assert/strict";
import { test } from "node:test";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import { AwsError } from "../aws/aws-error.ts";
import { makeSettled, UnsettledError } from "./settle.ts";

const lost = () => new AwsError("CreateSnapshot", "ECONNRESET", "read ECONNRESET");
const denied = () => new AwsError("CreateSnapshot", "UnauthorizedOperation", "no");

/** An EC2 that makes what it is asked for, tells of it as `answers` say, and shows it some looks later. */
function fakeEc2(answers: readonly (Error | "ok")[], options: { hiddenForLooks?: number; find?: () => never } = {}) {
  const existing: string[] = [];
  const removed: string[] = [];
  let makeCount = 0;
  let lookCount = 0;
  return {
    existing,
    removed,
    makeCount: () => makeCount,
    options: {
      what: "snapshot",
      async make() {
        const answer = answers[makeCount++];
        const isMade = answer === "ok" || (answer instanceof AwsError && answer.awsCode === "ECONNRESET");
        if (isMade) existing.push(`snap-${makeCount}`);
        if (answer instanceof Error) throw answer;
        return `snap-${makeCount}`;
      },
      async find() {
        options.find?.();
        return ++lookCount > (options.hiddenForLooks ?? 0) ? existing.filter((id) => !removed.includes(id)) : [];
      },
      async remove(id: string) {
        removed.push(id);
      },
      signal: new AbortController().signal,
      clock: scaledClock(1000),
      tell: () => {},
    },
  };
}

test("what was made although the answer was lost is found, and not made again", async () => {
  const ec2 = fakeEc2([lost()], { hiddenForLooks: 3 });
  assert.equal(await makeSettled(ec2.options), "snap-1");
  assert.equal(ec2.makeCount(), 1);
});

test("what shows up only after it was made again is removed: there is one in the end", async () => {
  const ec2 = fakeEc2([lost(), "ok"]);
  ec2.options.find = async () => (ec2.makeCount() < 2 ? [] : ec2.existing);
  assert.equal(await makeSettled(ec2.options), "snap-2");
  assert.deepEqual(ec2.removed, ["snap-1"]);
});

test("a refusal is final, also the second time", async () => {
  await assert.rejects(makeSettled(fakeEc2([denied()]).options), { awsCode: "UnauthorizedOperation" });
  const ec2 = fakeEc2([lost(), denied()]);
  ec2.options.find = async () => [];
  await assert.rejects(makeSettled(ec2.options), { awsCode: "UnauthorizedOperation" });
  assert.equal(ec2.makeCount(), 2);
});

test("a cancelled build looks for what was lost, and makes it no second time", async () => {
  const ec2 = fakeEc2([lost()]);
  ec2.options.find = async () => [];
  ec2.options.signal = AbortSignal.abort(new Error("Received SIGINT"));
  await assert.rejects(makeSettled(ec2.options), { awsCode: "ECONNRESET" });
  assert.equal(ec2.makeCount(), 1);
});

test("where nobody can look either, that is what is told: something may be left", async () => {
  const refuse = () => {
    throw denied();
  };
  await assert.rejects(makeSettled(fakeEc2([lost()], { find: refuse }).options), UnsettledError);
  const ec2 = fakeEc2([lost(), "ok"]);
  ec2.options.find = async () => (ec2.makeCount() < 2 ? [] : refuse());
  await assert.rejects(makeSettled(ec2.options), UnsettledError);
});
