// The wire of the EBS direct APIs, by hand-signed requests and the AWS CLI.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CompleteSnapshotCommand } from "@aws-sdk/client-ebs";
import { AWS_CLI_MISSING, awsCli } from "../helpers/aws-cli.ts";
import {
  blockOf,
  completeInput,
  readSnapshot,
  sha256,
  startEbsFixture,
  startSnapshot,
  textOf,
  writeSnapshot,
} from "../helpers/ebs-fixture.ts";
import type { CloudFixture } from "../helpers/local-cloud-fixture.ts";
import { type RawRequest, type SignedRequestOptions, sendSigned } from "../helpers/signed-request.ts";

function send(
  { cloud }: CloudFixture,
  request: RawRequest,
  options: Partial<SignedRequestOptions> = {},
): Promise<Response> {
  return sendSigned(request, { url: cloud.url, credentials: cloud.credentials, service: "ebs", ...options });
}

const BLOCK = new Uint8Array(blockOf("by hand"));
const CHECKSUM = sha256(BLOCK).toString("base64");
const PUT_HEADERS = {
  "x-amz-data-length": "524288",
  "x-amz-checksum": CHECKSUM,
  "x-amz-checksum-algorithm": "SHA256",
};

/** Status, exception, and what the body says. */
async function refusal(answer: Promise<Response>): Promise<readonly unknown[]> {
  const { status, headers, ...rest } = await answer.then(async (response) => ({
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }));
  assert.match(headers.get("x-amzn-requestid") ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(headers.get("content-type"), "application/json");
  return [status, headers.get("x-amzn-errortype"), rest.body["Reason"]];
}

test("A block is put with its body in the signature or out of it; a signature over another body is wrong", async () => {
  await using cloud = await startEbsFixture();
  const { fixture, ebs } = cloud;
  const id = await startSnapshot(ebs);
  const put = (index: number, payloadHash: string | undefined, headers: Record<string, string>) => {
    const request = { method: "PUT", path: `/snapshots/${id}/blocks/${index}`, body: BLOCK };
    const signed = payloadHash === undefined ? request : { ...request, payloadHash };
    return send(fixture, signed, { headers: { ...PUT_HEADERS, ...headers } });
  };
  const unsigned = await put(0, "UNSIGNED-PAYLOAD", { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" });
  assert.equal(unsigned.status, 201);
  assert.equal(unsigned.headers.get("x-amz-checksum"), CHECKSUM);
  assert.equal(unsigned.headers.get("x-amz-checksum-algorithm"), "SHA256");
  assert.match(unsigned.headers.get("x-amzn-requestid") ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(await unsigned.json(), {});
  assert.equal((await put(1, undefined, {})).status, 201);
  const hash = sha256(BLOCK).toString("hex");
  assert.equal((await put(2, undefined, { "x-amz-content-sha256": hash })).status, 201);
  const other = sha256(Buffer.from("other")).toString("hex");
  const wrong = [403, "InvalidSignatureException", undefined];
  assert.deepEqual(await refusal(put(3, other, { "x-amz-content-sha256": other })), wrong);
  assert.deepEqual(await refusal(put(3, "UNSIGNED-PAYLOAD", {})), wrong);
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 3 }));
  assert.deepEqual(await readSnapshot(ebs, id), { 0: "by hand", 1: "by hand", 2: "by hand" });
});

test("Only a put may leave its body out of the signature", async () => {
  await using cloud = await startEbsFixture();
  const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
  const start = { method: "POST", path: "/snapshots", body: '{"VolumeSize":1}', payloadHash: "UNSIGNED-PAYLOAD" };
  assert.deepEqual(await refusal(send(cloud.fixture, start, { headers })), [
    403,
    "InvalidSignatureException",
    undefined,
  ]);
});

test("Who is not who it says gets the exceptions of AWS's REST services", async () => {
  await using cloud = await startEbsFixture();
  const { fixture } = cloud;
  const { credentials, url } = fixture.cloud;
  const list = { method: "GET", path: "/snapshots/snap-0123456789abcdef0/blocks" };
  for (const [options, name] of [
    [{ credentials: { ...credentials, secretAccessKey: "wrong" } }, "InvalidSignatureException"],
    [{ credentials: { ...credentials, accessKeyId: "AKIAUNKNOWN" } }, "UnrecognizedClientException"],
    [{ service: "ec2" }, "InvalidSignatureException"],
    [{ region: "mars-1" }, "InvalidSignatureException"],
    [{ atMs: Date.now() - 16 * 60_000 }, "InvalidSignatureException"],
  ] as const) {
    const call = send(fixture, list, options);
    assert.deepEqual(await refusal(call), [403, name, undefined], JSON.stringify(options));
  }
  const unsigned = fetch(`${url}${list.path}`);
  assert.deepEqual(await refusal(unsigned), [403, "MissingAuthenticationTokenException", undefined]);
  const half = fetch(`${url}${list.path}`, { headers: { authorization: "AWS4-HMAC-SHA256 Credential=half" } });
  assert.deepEqual(await refusal(half), [403, "IncompleteSignatureException", undefined]);
});

test("Paths, bodies and encodings that are none are refused", async () => {
  await using cloud = await startEbsFixture();
  const { fixture, ebs } = cloud;
  const id = await startSnapshot(ebs);
  const unknown = [404, "UnknownOperationException", undefined];
  for (const [method, path] of [
    ["GET", "/snapshots"],
    ["DELETE", `/snapshots/${id}`],
    ["PUT", `/snapshots/${id}/blocks`],
    ["GET", `/snapshots/${id}/blocks/0/more`],
  ] as const) {
    assert.deepEqual(await refusal(send(fixture, { method, path })), unknown, `${method} ${path}`);
  }
  const start = (body: string) => refusal(send(fixture, { method: "POST", path: "/snapshots", body }));
  for (const body of ["", "{}"]) {
    assert.deepEqual(await start(body), [400, "ValidationException", "INVALID_PARAMETER_VALUE"]);
  }
  for (const body of [
    "{",
    "[]",
    '{"VolumeSize":1.5}',
    '{"VolumeSize":1,"Encrypted":"yes"}',
    '{"VolumeSize":1,"Tags":{}}',
  ]) {
    assert.deepEqual(await start(body), [400, "SerializationException", undefined], body);
  }
  assert.deepEqual(await start("x".repeat(300_000)), [413, "RequestEntityTooLargeException", undefined]);
  const put = { method: "PUT", path: `/snapshots/${id}/blocks/0`, body: BLOCK };
  const encoded = send(fixture, put, { headers: { ...PUT_HEADERS, "content-encoding": "gzip" } });
  assert.deepEqual(await refusal(encoded), [400, "ValidationException", "INVALID_CONTENT_ENCODING"]);
  const text = send(fixture, { method: "GET", path: `/snapshots/${id}/blocks`, query: { maxResults: "many" } });
  assert.deepEqual(await refusal(text), [400, "SerializationException", undefined]);
});

test("A client that goes away in the middle of a put leaves nothing, and the cloud closes all the same", async () => {
  await using cloud = await startEbsFixture();
  const { fixture, ebs } = cloud;
  const id = await startSnapshot(ebs);
  const stopped = new AbortController();
  const body = new ReadableStream({
    start: (stream) => stream.enqueue(BLOCK.subarray(0, 100_000)),
  });
  const put = fetch(`${fixture.cloud.url}/snapshots/${id}/blocks/0`, {
    method: "PUT",
    body,
    duplex: "half",
    signal: stopped.signal,
  } as RequestInit);
  setTimeout(() => stopped.abort(), 50);
  await assert.rejects(put);
  await ebs.send(new CompleteSnapshotCommand(completeInput(id, {})));
  assert.deepEqual(fixture.reports, []);
});

test("The AWS CLI writes, compares and reads a snapshot", { skip: AWS_CLI_MISSING }, async () => {
  await using cloud = await startEbsFixture();
  const { fixture, ebs } = cloud;
  await using cli = awsCli(fixture);
  const directory = await mkdtemp(join(tmpdir(), "amibake-cli-"));
  try {
    const [block, got] = [join(directory, "block"), join(directory, "got")];
    await writeFile(block, BLOCK);
    const parent = await writeSnapshot(ebs, { 0: "before" });
    const ok = async (line: string) => {
      const outcome = await cli.run(line);
      assert.equal(outcome.exitCode, 0, `${line}: ${outcome.stderr}`);
      return outcome.json;
    };
    const { SnapshotId, Description, Tags } = await ok(
      `ebs start-snapshot --volume-size 1 --parent-snapshot-id ${parent} --description from~the~cli --tags Key=a,Value=b --timeout 60`,
    );
    assert.deepEqual([Description, Tags], ["from the cli", [{ Key: "a", Value: "b" }]]);
    const put = `ebs put-snapshot-block --snapshot-id ${SnapshotId} --block-index 0 --data-length 524288 --block-data ${block} --checksum-algorithm SHA256`;
    assert.equal((await ok(`${put} --checksum ${CHECKSUM} --progress 50`)).Checksum, CHECKSUM);
    const aggregate = completeInput("", { 0: "by hand" }).Checksum;
    const completed = await ok(
      `ebs complete-snapshot --snapshot-id ${SnapshotId} --changed-blocks-count 1 --checksum ${aggregate} --checksum-algorithm SHA256 --checksum-aggregation-method LINEAR`,
    );
    assert.equal(completed.Status, "pending");
    const [list, changed] = await Promise.all([
      ok(`ebs list-snapshot-blocks --snapshot-id ${SnapshotId} --max-results 1000`),
      ok(`ebs list-changed-blocks --first-snapshot-id ${parent} --second-snapshot-id ${SnapshotId}`),
    ]);
    assert.deepEqual([list.Blocks.length, list.BlockSize, list.VolumeSize], [1, 524_288, 1]);
    assert.equal(changed.ChangedBlocks.length, 1);
    const { BlockToken } = list.Blocks[0];
    const answer = await ok(
      `ebs get-snapshot-block --snapshot-id ${SnapshotId} --block-index 0 --block-token ${BlockToken} ${got}`,
    );
    assert.deepEqual([answer.Checksum, answer.DataLength], [CHECKSUM, "524288"]);
    assert.equal(textOf(await readFile(got)), "by hand");
  } finally {
    await rm(directory, { recursive: true });
  }
});
