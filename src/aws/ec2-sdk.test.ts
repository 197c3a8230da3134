import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { impatientClock, scaledClock } from "../../test/helpers/scaled-clock.ts";
import type { Clock } from "../base/clock.ts";
import type { DeviceName, InstanceId, SnapshotId, VolumeId } from "../base/ids.ts";
import type { ImagePlan, VolumePlan } from "./ec2-api.ts";
import { createEc2Api } from "./ec2-sdk.ts";

/** EC2 that takes every call and never answers. */
async function openSilentEc2() {
  const server = createServer((request) => request.resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const retries: string[] = [];
  const ec2 = createEc2Api({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
    signal: new AbortController().signal,
    clock: scaledClock(200),
    onRetry: (call) => retries.push(call),
  });
  return {
    ec2,
    retries,
    async [Symbol.asyncDispose]() {
      ec2[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a question without an answer is asked again, and ends with the time it was waited for", async () => {
  await using silent = await openSilentEc2();
  await assert.rejects(silent.ec2.findVolume("vol-1" as VolumeId), {
    awsCode: "TimeoutError",
    message: "Cannot DescribeVolumes: TimeoutError: no answer within 30.0 s",
  });
  assert.deepEqual(
    silent.retries,
    Array.from({ length: 9 }, () => "DescribeVolumes"),
  );
});

test("a snapshot without an answer is not asked for again: it may be there", async () => {
  await using silent = await openSilentEc2();
  const plan = { volumeId: "vol-1" as VolumeId, description: "", tags: {} };
  await assert.rejects(silent.ec2.createSnapshot(plan), { awsCode: "TimeoutError", mayHaveTakenEffect: true });
  assert.deepEqual(silent.retries, []);
});

for (const [what, status, body] of [
  ["a proxy's error page", 502, "<html>Bad Gateway</html>"],
  ["an empty answer of a gateway", 504, ""],
  ["an answer that breaks off", 200, "<CreateSnapshotResponse><snapshotId>snap-"],
] as const) {
  test(`${what} says nothing about what the call did`, async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, { "content-type": "text/html" }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const retries: string[] = [];
    using ec2 = createEc2Api({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
      signal: new AbortController().signal,
      clock: impatientClock,
      onRetry: (call) => retries.push(call),
    });
    try {
      const plan = { volumeId: "vol-1" as VolumeId, description: "", tags: {} };
      await assert.rejects(ec2.createSnapshot(plan), {
        mayHaveTakenEffect: true,
        message: new RegExp(`none of AWS's, with status ${status}`),
      });
      assert.deepEqual(retries, []);
      await assert.rejects(ec2.findVolume("vol-1" as VolumeId), { mayHaveTakenEffect: true });
      assert.equal(retries.length, 9);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
}

const answer = (action: string, fields: string) => ({
  status: 200,
  body: `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${fields}</${action}Response>`,
});
const notFound = (code: string, message: string) => ({
  status: 400,
  body: `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors></Response>`,
});

/** EC2 that gives these answers, one after the other and the last one for ever. */
async function openScriptedEc2(
  answers: readonly { status: number; body: string }[],
  credentials = async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
) {
  const actions: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    actions.push(new URLSearchParams(body).get("Action") ?? "");
    const next = answers[Math.min(actions.length, answers.length) - 1];
    response.writeHead(next?.status ?? 500, { "content-type": "text/xml" }).end(next?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let slept = 0;
  const clock: Clock = {
    now: () => Date.now() + slept,
    async sleep(durationMs, signal) {
      await impatientClock.sleep(durationMs, signal);
      slept += durationMs;
    },
  };
  const ec2 = createEc2Api({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials,
    signal: new AbortController().signal,
    clock,
    onRetry: () => {},
  });
  return {
    ...{ ec2, actions },
    /** For how long it was waited, in ms. */
    slept: () => slept,
    /** Lets minutes pass. */
    age: () => {
      slept += 120_000;
    },
    async [Symbol.asyncDispose]() {
      ec2[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const VOLUME = "vol-1" as VolumeId;
const MADE = {
  volume: answer("CreateVolume", "<volumeId>vol-1</volumeId>"),
  snapshot: answer("CreateSnapshot", "<snapshotId>snap-1</snapshotId>"),
  image: answer("RegisterImage", "<imageId>ami-1</imageId>"),
};
const noVolume = notFound("InvalidVolume.NotFound", "The volume 'vol-1' does not exist.");
const noSnapshot = notFound("InvalidSnapshot.NotFound", "The snapshot 'snap-1' does not exist.");
const noImage = notFound("InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist");
const imageOf = (...snapshotIds: readonly string[]) =>
  ({
    ...{ name: "n", architecture: "x86_64", virtualizationType: "hvm", rootDeviceName: "/dev/xvda", tags: {} },
    blockDeviceMappings: snapshotIds.map((snapshotId) => ({ deviceName: "/dev/xvda", ebs: { snapshotId } })),
  }) as unknown as ImagePlan;

test("what was just made may be hidden from each call that names it, also from the second one", async () => {
  await using scripted = await openScriptedEc2([
    ...[MADE.volume, noVolume, answer("AttachVolume", ""), noVolume, answer("DetachVolume", "")],
    ...[noVolume, MADE.snapshot, noSnapshot, noSnapshot, MADE.image],
    ...[noImage, answer("ModifyImageAttribute", ""), noImage, answer("DeleteTags", "")],
    ...[noImage, answer("DeregisterImage", ""), noSnapshot, answer("DeleteSnapshot", "")],
    ...[noVolume, answer("DeleteVolume", "")],
  ]);
  const { ec2, actions } = scripted;
  await ec2.createVolume({ tags: {} } as VolumePlan);
  await ec2.attachVolume(VOLUME, "i-1" as InstanceId, "/dev/sdf" as DeviceName);
  await ec2.detachVolume(VOLUME);
  const snapshotId = await ec2.createSnapshot({ volumeId: VOLUME, description: "", tags: {} });
  const imageId = await ec2.registerImage(imageOf(snapshotId));
  await ec2.shareImage(imageId, { userIds: ["1"], groups: [] });
  await ec2.deleteTags([imageId, snapshotId], ["k"]);
  assert.ok(await ec2.releasing.deregisterImage(imageId));
  assert.ok(await ec2.releasing.deleteSnapshot(snapshotId));
  assert.ok(await ec2.releasing.deleteVolume(VOLUME));
  assert.deepEqual(actions, [
    ...["CreateVolume", "AttachVolume", "AttachVolume", "DetachVolume", "DetachVolume"],
    ...["CreateSnapshot", "CreateSnapshot", "RegisterImage", "RegisterImage", "RegisterImage"],
    ...["ModifyImageAttribute", "ModifyImageAttribute", "DeleteTags", "DeleteTags"],
    ...["DeregisterImage", "DeregisterImage", "DeleteSnapshot", "DeleteSnapshot", "DeleteVolume", "DeleteVolume"],
  ]);
});

test("what was made minutes ago, or by others, is gone when it is not found", async () => {
  await using scripted = await openScriptedEc2([
    ...[MADE.volume, MADE.snapshot],
    ...[notFound("InvalidSnapshot.NotFound", "The snapshot 'snap-2' does not exist."), noSnapshot],
  ]);
  const { ec2, actions } = scripted;
  await ec2.createVolume({ tags: {} } as VolumePlan);
  const snapshotId = await ec2.createSnapshot({ volumeId: VOLUME, description: "", tags: {} });
  await assert.rejects(ec2.registerImage(imageOf(snapshotId, "snap-2")), { message: /snap-2/ });
  scripted.age();
  await assert.rejects(ec2.registerImage(imageOf(snapshotId)), { awsCode: "InvalidSnapshot.NotFound" });
  assert.equal(actions.length, 4);
});

test("what was made by a call whose answer was lost, and found by its tag, is as new as the rest", async () => {
  const listed = answer("DescribeSnapshots", "<snapshotSet><item><snapshotId>snap-1</snapshotId></item></snapshotSet>");
  await using scripted = await openScriptedEc2([listed, noSnapshot, listed, noSnapshot, MADE.image]);
  const { ec2, actions } = scripted;
  const tag = { key: "amibake:draft", value: "one" };
  await ec2.findTagged("snapshot", tag);
  await assert.rejects(ec2.registerImage(imageOf("snap-1")), { awsCode: "InvalidSnapshot.NotFound" });
  await ec2.releasing.findTagged("snapshot", { ...tag, isOfOwn: true });
  await ec2.registerImage(imageOf("snap-1"));
  assert.equal(actions.length, 5);
});

test("what is not found after its deletion was lost is gone, unless it comes back within moments", async () => {
  const lost = { status: 504, body: "" };
  const plan = { volumeId: VOLUME, description: "", tags: {} };
  {
    await using scripted = await openScriptedEc2([MADE.snapshot, lost, noSnapshot]);
    await scripted.ec2.createSnapshot(plan);
    assert.equal(await scripted.ec2.deleteSnapshot("snap-1" as SnapshotId), false);
    assert.ok(scripted.slept() < 15_000, `waited for ${scripted.slept()} ms`);
  }
  await using flickering = await openScriptedEc2([MADE.snapshot, lost, noSnapshot, answer("DeleteSnapshot", "")]);
  await flickering.ec2.createSnapshot(plan);
  assert.equal(await flickering.ec2.deleteSnapshot("snap-1" as SnapshotId), true);
});

for (const [what, thrown] of [
  ["an error of the service", Object.assign(new Error("no"), { name: "X", $metadata: { httpStatusCode: 502 } })],
  ["a page that is none of AWS's", new SyntaxError("char '<' is not expected.")],
  ["a connection that breaks", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" })],
] as const) {
  test(`credentials that cannot be renewed because of ${what} are asked for again, by any call`, async () => {
    let askedCount = 0;
    const credentials = async () => {
      if (++askedCount < 3) throw thrown;
      return { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    };
    await using scripted = await openScriptedEc2([MADE.snapshot], credentials);
    assert.equal(await scripted.ec2.createSnapshot({ volumeId: VOLUME, description: "", tags: {} }), "snap-1");
    assert.deepEqual([askedCount, scripted.actions], [3, ["CreateSnapshot"]]);
  });
}
