import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { impatientClock, scaledClock } from "../../test/helpers/scaled-clock.ts";
import type { VolumeId } from "../base/ids.ts";
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
