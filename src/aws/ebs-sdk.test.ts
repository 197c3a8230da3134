import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { hashed } from "../../test/helpers/fake-ebs.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { SnapshotId } from "../base/ids.ts";
import { AwsError } from "./aws-error.ts";
import type { EbsApi } from "./ebs-api.ts";
import { createEbsApi, type EbsSdkOptions } from "./ebs-sdk.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
type Answer = (response: ServerResponse, asked: Asked) => void;

const SNAPSHOT = "snap-0123" as SnapshotId;
const BLOCK = hashed(7, Buffer.from("content"));
const CHECKSUM = Buffer.from(BLOCK.sha256).toString("base64");

/** Backoffs pass at once, and deadlines in a second; by the clock a backoff took its time. */
function quickClock(): Clock & { advance(durationMs: number): void } {
  let slept = 0;
  return {
    now: () => systemClock.now() + slept,
    async sleep(durationMs, signal) {
      const isBackoff = durationMs < 15_000;
      await systemClock.sleep(durationMs / (isBackoff ? 1000 : 20), signal);
      if (isBackoff) slept += durationMs;
    },
    advance(durationMs) {
      slept += durationMs;
    },
  };
}

/** EBS that gives these answers, one after the other and the last one for ever. */
async function openScriptedEbs(answers: readonly Answer[], options: { signal?: AbortSignal } = {}) {
  const clock = quickClock();
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client gave up.
      return;
    }
    const question = { method, url, headers, body: Buffer.concat(chunks) };
    asked.push(question);
    answers[Math.min(asked.length, answers.length) - 1]?.(response, question);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const retries: string[] = [];
  const ebs = createEbsApi({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
    signal: options.signal ?? new AbortController().signal,
    clock,
    onRetry: (call, _attempt, reason) => retries.push(`${call}: ${reason}`),
  });
  return {
    ...{ ebs, asked, retries, clock },
    async [Symbol.asyncDispose]() {
      ebs[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json =
  (status: number, value: object, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
const refusal = (status: number, type: string, Message: string, Reason?: string): Answer =>
  json(status, { Message, Reason }, { "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/` });
const acknowledged = (checksum: string): Answer => json(201, {}, { "x-amz-checksum": checksum });
const block =
  (data: Uint8Array, checksum: string): Answer =>
  (response) =>
    response.writeHead(200, { "x-amz-checksum": checksum, "x-amz-data-length": String(data.length) }).end(data);
const reset: Answer = (response) => response.destroy();
const silence: Answer = () => {};

test("a block is put with its hash, and counted", async () => {
  await using scripted = await openScriptedEbs([acknowledged(CHECKSUM)]);
  await scripted.ebs.putSnapshotBlock(SNAPSHOT, BLOCK);
  const [{ method, url, headers, body }] = scripted.asked as [Asked];
  assert.deepEqual([method, url], ["PUT", "/snapshots/snap-0123/blocks/7"]);
  assert.equal(headers["x-amz-checksum"], CHECKSUM);
  assert.equal(headers["x-amz-checksum-algorithm"], "SHA256");
  assert.equal(headers["x-amz-data-length"], "524288");
  assert.equal(headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
  assert.match(headers.authorization ?? "", /Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/ebs\/aws4_request/);
  assert.ok(body.equals(BLOCK.data));
  assert.deepEqual(scripted.ebs.usage, { getSnapshotBlock: 0, putSnapshotBlock: 1, list: 0, other: 0 });
});

for (const [what, first] of [
  ["an acknowledgement of another hash", acknowledged("B4VNL+8pega6gWheZgwzLeNtXRjVRpJ9MNqtbX/aFUE=")],
  ["an acknowledgement of no hash", json(201, {})],
  ["a reset connection", reset],
  ["throttling of the account", refusal(400, "ThrottlingException", "Rate exceeded", "ACCOUNT_THROTTLED")],
  ["throttling of the snapshot", refusal(400, "RequestThrottledException", "Slow", "RESOURCE_LEVEL_THROTTLE")],
  ["a server's fault", refusal(500, "InternalServerException", "We failed")],
  ["a proxy's page", (response: ServerResponse) => response.writeHead(502).end("<html>Bad Gateway</html>")],
  ["a body that came too slowly", refusal(400, "ValidationException", "Failed to read block data")],
  ["its own earlier attempt", refusal(400, "ValidationException", "Busy", "CONFLICTING_BLOCK_UPDATE")],
  ["a snapshot that is not found yet", refusal(404, "ResourceNotFoundException", "None", "SNAPSHOT_NOT_FOUND")],
] as const) {
  test(`a put is sent again after ${what}`, async () => {
    await using scripted = await openScriptedEbs([first, acknowledged(CHECKSUM)]);
    await scripted.ebs.putSnapshotBlock(SNAPSHOT, BLOCK);
    assert.equal(scripted.asked.length, 2);
    assert.equal(scripted.retries.length, 1);
    assert.equal(scripted.ebs.usage.putSnapshotBlock, 2);
  });
}

test("a put without an answer is sent again after 20 s", async () => {
  await using scripted = await openScriptedEbs([silence, acknowledged(CHECKSUM)]);
  await scripted.ebs.putSnapshotBlock(SNAPSHOT, BLOCK);
  assert.deepEqual(scripted.retries, [
    "PutSnapshotBlock: Cannot PutSnapshotBlock block 7 of snap-0123: TimeoutError: no answer within 20.0 s",
  ]);
});

test("a snapshot may stay unknown for two minutes, also after it took a block; then it is gone when it is not found", async () => {
  const notFound = refusal(404, "ResourceNotFoundException", "It does not exist", "SNAPSHOT_NOT_FOUND");
  await using scripted = await openScriptedEbs([
    json(201, { SnapshotId: SNAPSHOT, Status: "pending", VolumeSize: 8 }),
    ...Array.from({ length: 10 }, () => notFound),
    acknowledged(CHECKSUM),
    notFound,
    acknowledged(CHECKSUM),
    notFound,
    json(202, { Status: "pending" }),
    notFound,
  ]);
  await scripted.ebs.startSnapshot(PLAN);
  await scripted.ebs.putSnapshotBlock(SNAPSHOT, BLOCK);
  assert.equal(scripted.asked.length, 12);
  await scripted.ebs.putSnapshotBlock(SNAPSHOT, BLOCK);
  await scripted.ebs.completeSnapshot(SNAPSHOT, WRITTEN);
  assert.equal(scripted.asked.length, 16);
  scripted.clock.advance(120_000);
  await assert.rejects(scripted.ebs.putSnapshotBlock(SNAPSHOT, BLOCK), {
    message:
      "Cannot PutSnapshotBlock block 7 of snap-0123: ResourceNotFoundException (SNAPSHOT_NOT_FOUND): It does not exist",
  });
  assert.equal(scripted.asked.length, 17);
  await assert.rejects(scripted.ebs.completeSnapshot(SNAPSHOT, WRITTEN), { awsCode: "ResourceNotFoundException" });
  assert.equal(scripted.asked.length, 18);
});

test("a snapshot that EBS never shows is waited for as long as it may hide one, whatever the attempts", async () => {
  await using scripted = await openScriptedEbs([
    refusal(404, "ResourceNotFoundException", "It does not exist", "SNAPSHOT_NOT_FOUND"),
  ]);
  const start = scripted.clock.now();
  await assert.rejects(scripted.ebs.completeSnapshot(SNAPSHOT, WRITTEN), { awsCode: "ResourceNotFoundException" });
  const waitedMs = scripted.clock.now() - start;
  assert.ok(waitedMs >= 120_000 && waitedMs < 140_000, `waited for ${waitedMs} ms`);
});

for (const [type, status, reason] of [
  ["AccessDeniedException", 403, "UNAUTHORIZED_ACCOUNT"],
  ["ValidationException", 400, "INVALID_BLOCK"],
  ["ServiceQuotaExceededException", 402, "DEPENDENCY_SERVICE_QUOTA_EXCEEDED"],
] as const) {
  test(`${type} is never asked for again`, async () => {
    await using scripted = await openScriptedEbs([refusal(status, type, "No.", reason)]);
    await assert.rejects(scripted.ebs.putSnapshotBlock(SNAPSHOT, BLOCK), { awsCode: type, reason });
    assert.equal(scripted.asked.length, 1);
  });
}

test("a denied get says which right is missing", async () => {
  await using scripted = await openScriptedEbs([refusal(403, "AccessDeniedException", "Not allowed")]);
  await assert.rejects(scripted.ebs.getSnapshotBlock(SNAPSHOT, { blockIndex: 7, blockToken: "t" }), {
    message: "Cannot GetSnapshotBlock block 7 of snap-0123: AccessDeniedException: Not allowed",
    hint: /ebs:StartSnapshot.*GetSnapshotBlock/,
  });
});

for (const [what, first] of [
  ["comes damaged", block(hashed(7, Buffer.from("other")).data, CHECKSUM)],
  ["comes with another hash", block(BLOCK.data, "B4VNL+8pega6gWheZgwzLeNtXRjVRpJ9MNqtbX/aFUE=")],
  ["comes short", block(BLOCK.data.subarray(1), CHECKSUM)],
  [
    "breaks off",
    ((response) => {
      response.writeHead(200, { "x-amz-checksum": CHECKSUM, "content-length": "524288" });
      response.write(BLOCK.data.subarray(0, 1000), () => response.destroy());
    }) satisfies Answer,
  ],
] as const) {
  test(`a block that ${what} is fetched again`, async () => {
    await using scripted = await openScriptedEbs([first, block(BLOCK.data, CHECKSUM)]);
    const got = await scripted.ebs.getSnapshotBlock(SNAPSHOT, { blockIndex: 7, blockToken: "a+b/c=" });
    assert.ok(Buffer.from(got.data).equals(BLOCK.data));
    assert.deepEqual([...got.sha256], [...BLOCK.sha256]);
    assert.equal(scripted.asked[1]?.url, "/snapshots/snap-0123/blocks/7?blockToken=a%2Bb%2Fc%3D");
    assert.equal(scripted.ebs.usage.getSnapshotBlock, 2);
  });
}

test("a block that is damaged each time is not returned", async () => {
  await using scripted = await openScriptedEbs([block(Buffer.alloc(524_288), CHECKSUM)]);
  await assert.rejects(scripted.ebs.getSnapshotBlock(SNAPSHOT, { blockIndex: 7, blockToken: "t" }), {
    awsCode: "DamagedOnTheWay",
    message: `Cannot GetSnapshotBlock block 7 of snap-0123: DamagedOnTheWay: the block has the hash B4VNL+8pega6gWheZgwzLeNtXRjVRpJ9MNqtbX/aFUE=, not ${CHECKSUM}`,
  });
});

test("a cancelled get ends at once with the reason, and its connection with it", async () => {
  const controller = new AbortController();
  let wasClosed: Promise<unknown> = Promise.resolve();
  const cancel: Answer = (response) => {
    wasClosed = new Promise((resolve) => response.once("close", resolve));
    controller.abort(new Error("stop"));
  };
  await using scripted = await openScriptedEbs([cancel], { signal: controller.signal });
  await assert.rejects(scripted.ebs.getSnapshotBlock(SNAPSHOT, { blockIndex: 7, blockToken: "t" }), /^Error: stop$/);
  await wasClosed;
});

test("listings go on after an empty page, until there is no token", async () => {
  await using scripted = await openScriptedEbs([
    json(200, { Blocks: [{ BlockIndex: 1, BlockToken: "one" }], VolumeSize: 8, NextToken: "n1" }),
    json(200, { Blocks: [], VolumeSize: 8, NextToken: "n2" }),
    // In bytes, as some of AWS's examples have it.
    json(200, { Blocks: [{ BlockIndex: 9, BlockToken: "nine" }], VolumeSize: 8 * 1024 ** 3 }),
  ]);
  const pages = [];
  for await (const page of scripted.ebs.listSnapshotBlocks(SNAPSHOT, { startingBlockIndex: 1 })) pages.push(page);
  assert.deepEqual(pages, [
    { sizeGib: 8, blocks: [{ blockIndex: 1, blockToken: "one" }] },
    { sizeGib: 8, blocks: [] },
    { sizeGib: 8, blocks: [{ blockIndex: 9, blockToken: "nine" }] },
  ]);
  const queries = scripted.asked.map(({ url }) => Object.fromEntries(new URL(url, "http://ebs").searchParams));
  assert.deepEqual(queries, [
    { maxResults: "10000", startingBlockIndex: "1" },
    { maxResults: "10000", pageToken: "n1" },
    { maxResults: "10000", pageToken: "n2" },
  ]);
  assert.equal(scripted.ebs.usage.list, 3);
});

test("a listing whose page token has expired goes on behind the last block", async () => {
  const expired = refusal(400, "ValidationException", "The page token has expired", "INVALID_PAGE_TOKEN");
  await using scripted = await openScriptedEbs([
    json(200, { Blocks: [{ BlockIndex: 1, BlockToken: "one" }], VolumeSize: 8, NextToken: "n1" }),
    expired,
    json(200, { Blocks: [{ BlockIndex: 2, BlockToken: "two" }], VolumeSize: 8 }),
    expired,
  ]);
  const indexes = [];
  for await (const { blocks } of scripted.ebs.listSnapshotBlocks(SNAPSHOT)) {
    indexes.push(...blocks.map(({ blockIndex }) => blockIndex));
  }
  assert.deepEqual(indexes, [1, 2]);
  const queries = scripted.asked.map(({ url }) => Object.fromEntries(new URL(url, "http://ebs").searchParams));
  assert.deepEqual(queries.slice(1), [
    { maxResults: "10000", pageToken: "n1" },
    { maxResults: "10000", startingBlockIndex: "2" },
  ]);
  await assert.rejects(scripted.ebs.listSnapshotBlocks(SNAPSHOT).next(), { reason: "INVALID_PAGE_TOKEN" });
});

test("changed blocks tell which of the two snapshots has them", async () => {
  await using scripted = await openScriptedEbs([
    json(200, { ChangedBlocks: [], VolumeSize: 8, NextToken: "n1" }),
    json(200, {
      ChangedBlocks: [
        { BlockIndex: 1, FirstBlockToken: "f1", SecondBlockToken: "s1" },
        { BlockIndex: 2, SecondBlockToken: "s2" },
        { BlockIndex: 3, FirstBlockToken: "f3" },
      ],
      VolumeSize: 8,
    }),
  ]);
  const pages = [];
  for await (const page of scripted.ebs.listChangedBlocks("snap-a" as SnapshotId, SNAPSHOT)) pages.push(page);
  assert.deepEqual(
    pages.flatMap(({ changedBlocks }) => changedBlocks),
    [
      { blockIndex: 1, firstBlockToken: "f1", secondBlockToken: "s1" },
      { blockIndex: 2, firstBlockToken: undefined, secondBlockToken: "s2" },
      { blockIndex: 3, firstBlockToken: "f3", secondBlockToken: undefined },
    ],
  );
  assert.match(scripted.asked[0]?.url ?? "", /^\/snapshots\/snap-0123\/changedblocks\?.*firstSnapshotId=snap-a/);
});

const PLAN = { sizeGib: 8, description: "d", tags: { Name: "n" }, clientToken: "token-1" };

test("a snapshot is started again with the same token when the answer is lost", async () => {
  await using scripted = await openScriptedEbs([
    reset,
    json(201, { SnapshotId: "snap-0123", Status: "pending", VolumeSize: 8, BlockSize: 524_288 }),
  ]);
  const started = await scripted.ebs.startSnapshot({ ...PLAN, parentSnapshotId: "snap-parent" as SnapshotId });
  assert.deepEqual(started, { snapshotId: "snap-0123", state: "pending", sizeGib: 8 });
  const bodies = scripted.asked.map(({ body }) => JSON.parse(body.toString()));
  assert.deepEqual(bodies[0], {
    VolumeSize: 8,
    ParentSnapshotId: "snap-parent",
    Description: "d",
    Tags: [{ Key: "Name", Value: "n" }],
    ClientToken: "token-1",
  });
  assert.deepEqual(bodies[1], bodies[0]);
});

test("too many pending snapshots are waited for", async () => {
  await using scripted = await openScriptedEbs([
    refusal(400, "ConcurrentLimitExceededException", "You have reached the limit for concurrent API requests"),
    json(201, { SnapshotId: "snap-0123", Status: "pending", VolumeSize: 8 }),
  ]);
  assert.equal((await scripted.ebs.startSnapshot(PLAN)).snapshotId, "snap-0123");
});

const WRITTEN = { changedBlocksCount: 1, checksum: BLOCK.sha256 };

test("a snapshot is completed with the count and the aggregate of its hashes", async () => {
  await using scripted = await openScriptedEbs([json(202, { Status: "pending" })]);
  await scripted.ebs.completeSnapshot(SNAPSHOT, WRITTEN);
  const [{ url, headers }] = scripted.asked as [Asked];
  assert.equal(url, "/snapshots/completion/snap-0123");
  assert.equal(headers["x-amz-changedblockscount"], "1");
  assert.equal(headers["x-amz-checksum"], CHECKSUM);
  assert.equal(headers["x-amz-checksum-aggregation-method"], "LINEAR");
});

test("a completion whose answer was lost has sealed the snapshot where the next one is refused", async () => {
  const refused = refusal(400, "ValidationException", "It is not pending", "INVALID_SNAPSHOT_ID");
  await using lost = await openScriptedEbs([reset, refused]);
  await lost.ebs.completeSnapshot(SNAPSHOT, WRITTEN);
  assert.equal(lost.asked.length, 2);
  await using never = await openScriptedEbs([refused]);
  await assert.rejects(never.ebs.completeSnapshot(SNAPSHOT, WRITTEN), { reason: "INVALID_SNAPSHOT_ID" });
});

test("a completion that was lost and is then refused for what it says is an error", async () => {
  const refused = refusal(400, "ValidationException", "The checksum is not right", "INVALID_PARAMETER_VALUE");
  await using lost = await openScriptedEbs([reset, refused]);
  await assert.rejects(lost.ebs.completeSnapshot(SNAPSHOT, WRITTEN), { reason: "INVALID_PARAMETER_VALUE" });
});

/** An API of AWS's own endpoints, made while the environment holds these variables. Nothing is sent. */
async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  work: (open: (options?: Partial<EbsSdkOptions>) => EbsApi & Disposable, retries: string[]) => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  const retries: string[] = [];
  const open = (options: Partial<EbsSdkOptions> = {}) =>
    createEbsApi({
      region: "us-gov-west-1",
      endpoint: undefined,
      credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
      signal: new AbortController().signal,
      clock: quickClock(),
      onRetry: (call) => retries.push(call),
      ...options,
    });
  try {
    return await work(open, retries);
  } finally {
    process.env = before;
  }
}

test("the endpoint is told as it was configured, and what is given it looks at nothing else", async () => {
  await withEnvironment({ AWS_USE_FIPS_ENDPOINT: "true" }, async (open) => {
    using ebs = open();
    const endpoint = await ebs.endpoint();
    assert.equal(endpoint, "https://ebs-fips.us-gov-west-1.amazonaws.com/");
    using given = open({ endpoint, isEndpointFinal: true });
    assert.equal(await given.endpoint(), endpoint);
  });
  await withEnvironment({ AWS_USE_DUALSTACK_ENDPOINT: "true" }, async (open) => {
    using ebs = open({ region: "us-east-1" });
    assert.equal(await ebs.endpoint(), "https://ebs.us-east-1.api.aws/");
  });
});

test("what is configured wrongly is told at once, and nothing was sent", async () => {
  const wrong = { fault: "usage", awsCode: "EndpointError", mayHaveTakenEffect: false, hint: /AWS_USE_FIPS_ENDPOINT/ };
  await withEnvironment({ AWS_USE_FIPS_ENDPOINT: "true" }, async (open, retries) => {
    using ebs = open({ endpoint: "http://127.0.0.1:1" });
    await assert.rejects(ebs.startSnapshot(PLAN), {
      ...wrong,
      message: "Cannot StartSnapshot: EndpointError: Invalid Configuration: FIPS and custom endpoint are not supported",
    });
    await assert.rejects(ebs.putSnapshotBlock(SNAPSHOT, BLOCK), wrong);
    await assert.rejects(ebs.endpoint(), wrong);
    assert.deepEqual(retries, []);
  });
});

test("credentials that cannot be renewed are told at once", async () => {
  await withEnvironment({}, async (open, retries) => {
    const failing = Object.assign(new Error("Token is expired"), { name: "CredentialsProviderError" });
    using ebs = open({ endpoint: "http://127.0.0.1:1", credentials: () => Promise.reject(failing) });
    for (const call of [ebs.startSnapshot(PLAN), ebs.putSnapshotBlock(SNAPSHOT, BLOCK)]) {
      await assert.rejects(call, { fault: "usage", mayHaveTakenEffect: false, hint: /sign in again/ });
    }
    assert.deepEqual(retries, []);
  });
});

test("a call that does not come through tells of a proxy that is not used", async () => {
  const hintWith = async (environment: Readonly<Record<string, string>>): Promise<string> =>
    withEnvironment({}, async (open) => {
      using ebs = open({ endpoint: "http://127.0.0.1:1", environment });
      const error: unknown = await ebs.startSnapshot(PLAN).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof AwsError && error.awsCode === "ECONNREFUSED");
      return error.hint ?? "";
    });
  assert.match(
    await hintWith({ https_proxy: "http://proxy:3128" }),
    /\. https_proxy is set, but amibake uses no proxy/,
  );
  assert.doesNotMatch(await hintWith({}), /proxy/);
});
