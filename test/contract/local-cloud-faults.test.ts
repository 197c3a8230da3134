import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateTagsCommand,
  CreateVolumeCommand,
  DescribeRegionsCommand,
  DescribeVolumesCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { FaultPlan, FaultRule } from "../../src/local-cloud/faults/fault-plan.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { type AwsError, expectAwsError, startCloudFixture } from "../helpers/local-cloud-fixture.ts";

const VOLUME = { AvailabilityZone: "us-east-1a", Size: 1 };

function plan(...faults: Partial<FaultRule>[]): FaultPlan {
  return { seed: 7, faults: faults.map((rule) => ({ fault: "throttle", actions: ["*"], ...rule })) };
}

async function volumeCount(ec2: EC2Client): Promise<number> {
  return (await ec2.send(new DescribeVolumesCommand({}))).Volumes?.length ?? 0;
}

/** What became of a call: "done", the name of AWS's error, or the system's code. */
async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "done",
    (error: AwsError & { code?: string }) => error.code ?? error.name,
  );
}

for (const [fault, name, status, message] of [
  ["throttle", "RequestLimitExceeded", 503, "Request limit exceeded."],
  ["internal-error", "InternalError", 500, "An internal error has occurred"],
  ["unavailable", "Unavailable", 503, /unavailable/],
  ["expired-credentials", "RequestExpired", 400, "Request has expired."],
  ["denied", "UnauthorizedOperation", 403, /^You are not authorized .* ec2:CreateVolume /],
] as const) {
  test(`${fault}: the action is not done, and EC2 answers ${name}`, async () => {
    await using fixture = await startCloudFixture({ faults: plan({ fault, actions: ["CreateVolume"], first: 1 }) });
    const ec2 = fixture.ec2();
    await expectAwsError(ec2.send(new CreateVolumeCommand(VOLUME)), { name, status, message });
    assert.equal(await volumeCount(ec2), 0);
    await ec2.send(new CreateVolumeCommand(VOLUME));
    assert.equal(await volumeCount(ec2), 1);
  });
}

for (const [fault, name, status] of [
  // The SDK gives the code of its own exception class where it has one.
  ["throttle", "Throttling", 400],
  ["internal-error", "InternalFailure", 500],
  ["unavailable", "ServiceUnavailable", 503],
  ["expired-credentials", "ExpiredToken", 403],
  ["denied", "AccessDenied", 403],
] as const) {
  test(`${fault}: STS answers ${name}`, async () => {
    await using fixture = await startCloudFixture({ faults: plan({ fault, actions: ["GetCallerIdentity"] }) });
    const sts = fixture.sts();
    await expectAwsError(sts.send(new GetCallerIdentityCommand({})), { name, status });
    const role = { RoleArn: "arn:aws:iam::000011112222:role/tester", RoleSessionName: "test" };
    await sts.send(new AssumeRoleCommand(role));
  });
}

test("denied: a dry run is denied too, so that permissions can be asked for", async () => {
  await using fixture = await startCloudFixture({ faults: plan({ fault: "denied", actions: ["CreateVolume"] }) });
  const dryRun = fixture.ec2().send(new CreateVolumeCommand({ ...VOLUME, DryRun: true }));
  await expectAwsError(dryRun, { name: "UnauthorizedOperation" });
});

test("reset-before: the connection breaks, and the action is not done", async () => {
  await using fixture = await startCloudFixture({ faults: plan({ fault: "reset-before", first: 2 }) });
  const ec2 = fixture.ec2();
  assert.equal(await outcome(ec2.send(new CreateVolumeCommand(VOLUME))), "ECONNRESET");
  assert.equal(await outcome(ec2.send(new CreateVolumeCommand(VOLUME))), "ECONNRESET");
  assert.equal(await volumeCount(ec2), 0);
});

for (const [fault, code] of [
  ["reset-after", "ECONNRESET"],
  ["error-after", "InternalError"],
] as const) {
  test(`${fault}: the action is done and durable, and its answer is lost; its ClientToken finds it`, async () => {
    await using fixture = await startCloudFixture({ faults: plan({ fault, first: 1 }) });
    const input = { ...VOLUME, ClientToken: "only one" };
    assert.equal(await outcome(fixture.ec2().send(new CreateVolumeCommand(input))), code);
    await fixture.restart({ faults: plan() });
    const ec2 = fixture.ec2();
    const { Volumes: [volume] = [] } = await ec2.send(new DescribeVolumesCommand({}));
    assert.equal(volume?.State, "available");
    assert.equal((await ec2.send(new CreateVolumeCommand(input))).VolumeId, volume?.VolumeId);
    assert.equal(await volumeCount(ec2), 1);
  });

  test(`${fault}: a call that is refused anyway, or only a dry run, gets its own answer`, async () => {
    await using fixture = await startCloudFixture({ faults: plan({ fault, times: 1 }) });
    const ec2 = fixture.ec2();
    const tag = new CreateTagsCommand({ Resources: ["vol-00000000000000000"], Tags: [{ Key: "a", Value: "b" }] });
    await expectAwsError(ec2.send(tag), { name: "InvalidVolume.NotFound" });
    await expectAwsError(ec2.send(new CreateVolumeCommand({ ...VOLUME, DryRun: true })), { name: "DryRunOperation" });
    assert.equal(fixture.cloud.faults().rules[0]?.strikeCount, 0);
    assert.equal(await outcome(ec2.send(new CreateVolumeCommand(VOLUME))), code);
    assert.equal(await volumeCount(ec2), 1);
  });
}

test("slow: the action is done at once, and answered after so many seconds", async () => {
  const clock = new FakeClock();
  const faults = plan({ fault: "slow", actions: ["CreateVolume"], seconds: 40 });
  await using fixture = await startCloudFixture({ clock, faults });
  const ec2 = fixture.ec2();
  const created = outcome(ec2.send(new CreateVolumeCommand(VOLUME)));
  while ((await volumeCount(ec2)) === 0);
  while (clock.endsOfWaitsMs.length === 0) await new Promise(setImmediate);
  assert.deepEqual(
    clock.endsOfWaitsMs.map((endMs) => endMs - clock.now()),
    [40_000],
  );
  assert.equal(await Promise.race([created, "waiting"]), "waiting");
  clock.advance(40_000);
  assert.equal(await created, "done");
});

test("Faults that go together: slow before a refusal, and the first refusal of the file", async () => {
  const faults = plan(
    { fault: "slow", seconds: 0.3, calls: [1] },
    { fault: "unavailable", calls: [1] },
    { fault: "throttle", first: 1 },
    { fault: "reset-after", first: 1 },
  );
  await using fixture = await startCloudFixture({ faults });
  const start = performance.now();
  await expectAwsError(fixture.ec2().send(new DescribeRegionsCommand({})), { name: "Unavailable" });
  assert.ok(performance.now() - start >= 290);
  assert.deepEqual(
    fixture.cloud.faults().rules.map(({ strikeCount }) => strikeCount),
    [1, 1, 0, 0],
  );
});

test("Rules choose calls: some, the first, from one on, a share, in bursts, at most so many", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const strikes = async (rule: Partial<FaultRule>, callCount = 12) => {
    fixture.cloud.faults(plan({ actions: ["DescribeRegions"], ...rule }));
    let text = "";
    for (let call = 0; call < callCount; call++) {
      // Another action is not counted.
      if (call % 3 === 0) await volumeCount(ec2);
      text += (await outcome(ec2.send(new DescribeRegionsCommand({})))) === "done" ? "." : "x";
    }
    return text;
  };
  assert.equal(await strikes({}), "xxxxxxxxxxxx");
  assert.equal(await strikes({ calls: [2, 5] }), ".x..x.......");
  assert.equal(await strikes({ first: 3 }), "xxx.........");
  assert.equal(await strikes({ from: 9 }), "........xxxx");
  assert.equal(await strikes({ from: 3, times: 2 }), "..xx........");
  assert.equal(await strikes({ calls: [2], burst: 4 }), ".xxxx.......");
  assert.equal(await strikes({ share: 0 }), "............");
  assert.equal(await strikes({ actions: ["Describe*"], calls: [2] }), "x...........");
  const half = await strikes({ share: 0.5 }, 60);
  assert.equal(await strikes({ share: 0.5 }, 60), half, "the same seed strikes the same calls");
  const struck = [...half].filter((mark) => mark === "x").length;
  assert.ok(struck > 15 && struck < 45, `${struck} of 60 struck: ${half}`);
  assert.match(await strikes({ share: 0.1, burst: 5 }, 60), /x{5}/);
});

test("Clearing ends all faults, and setting them begins the counters anew", async () => {
  await using fixture = await startCloudFixture({ faults: plan({ first: 1 }) });
  const ec2 = fixture.ec2();
  assert.equal(await outcome(ec2.send(new DescribeRegionsCommand({}))), "RequestLimitExceeded");
  const report = fixture.cloud.faults();
  assert.deepEqual([report.seed, report.rules[0]?.callCount, report.rules[0]?.strikeCount], [7, 1, 1]);
  assert.equal(await outcome(ec2.send(new DescribeRegionsCommand({}))), "done");
  fixture.cloud.faults(plan({ first: 1 }));
  assert.equal(await outcome(ec2.send(new DescribeRegionsCommand({}))), "RequestLimitExceeded");
  assert.deepEqual(fixture.cloud.faults({ seed: 1, faults: [] }).rules, []);
  assert.equal(await outcome(ec2.send(new DescribeRegionsCommand({}))), "done");
});
