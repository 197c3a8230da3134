// A bare loop of the requests that move blocks: no disk, no hashing, nothing retried. Run by run.ts as a process of its
// own; prints one line of JSON.
//
//   bare-loop.ts put|get http|sockets IMAGE SNAPSHOT
//
// put: every block of the image with data goes into the pending snapshot. get: every block of the snapshot is fetched
// and dropped. All is read, hashed and signed before the clock starts. "http" sends by Node's client with a keep-alive
// agent, "sockets" by the connections that amibake has.
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { open } from "node:fs/promises";
import { Agent, request as httpRequest } from "node:http";
import { createEbsApi } from "../../src/aws/ebs-sdk.ts";
import { openTransport } from "../../src/aws/ebs-transport.ts";
import { RequestSigner, type SignedRequest } from "../../src/aws/sign-request.ts";
import { BlockHashes } from "../../src/base/block-hashes.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { SnapshotId } from "../../src/base/ids.ts";
import { forEachParallel } from "../../src/base/parallel.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";
import { blocksOf, dataExtents } from "../../src/linux/files/sparse-file.ts";
import { writtenBlocks } from "../../src/snapshot-transfer/upload-blocks.ts";

const CONNECTIONS = 32;

interface Prepared extends SignedRequest {
  readonly method: "GET" | "PUT";
  readonly body?: Buffer;
}

const [direction, client, image = "", id = ""] = process.argv.slice(2);
const snapshotId = id as SnapshotId;
const endpoint = new URL(process.env["AWS_ENDPOINT_URL"] ?? "");
const region = process.env["AWS_REGION"] ?? "";
const credentials = {
  accessKeyId: process.env["AWS_ACCESS_KEY_ID"] ?? "",
  secretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"] ?? "",
};
const never = new AbortController().signal;
setMaxListeners(0, never);
const signer = new RequestSigner({ host: endpoint.host, region, service: "ebs" });
using ebs = createEbsApi({
  region,
  credentials: async () => credentials,
  endpoint: endpoint.href,
  signal: never,
  clock: systemClock,
  onRetry: () => {},
});

const { requests, finish } = direction === "put" ? await preparePuts() : await prepareGets();
using sender = client === "http" ? nodeSender() : socketSender();
const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
await forEachParallel(requests, CONNECTIONS, (request, lane) => sender.send(request, lane));
const seconds = (performance.now() - startMs) / 1000;
const { user, system } = process.cpuUsage(startCpu);
await finish();
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, blocks: requests.length }));

async function preparePuts() {
  await using file = await open(image, "r");
  const indexes = blocksOf(await dataExtents(file), SNAPSHOT_BLOCK_BYTES);
  const memory = Buffer.allocUnsafeSlow(indexes.length * SNAPSHOT_BLOCK_BYTES);
  const hashes: { blockIndex: number; sha256: Buffer }[] = [];
  const requests: Prepared[] = [];
  for (const [position, blockIndex] of indexes.entries()) {
    const body = memory.subarray(position * SNAPSHOT_BLOCK_BYTES, (position + 1) * SNAPSHOT_BLOCK_BYTES);
    await file.read(body, 0, body.length, blockIndex * SNAPSHOT_BLOCK_BYTES);
    const sha256 = createHash("sha256").update(body).digest();
    hashes.push({ blockIndex, sha256 });
    const headers = {
      "content-type": "application/octet-stream",
      "x-amz-checksum": sha256.toString("base64"),
      "x-amz-checksum-algorithm": "SHA256",
      "x-amz-data-length": String(SNAPSHOT_BLOCK_BYTES),
    };
    const path = `/snapshots/${snapshotId}/blocks/${blockIndex}`;
    requests.push({
      method: "PUT",
      ...signer.sign({ method: "PUT", path, query: {}, headers }, credentials, Date.now()),
      body,
    });
  }
  return { requests, finish: () => ebs.completeSnapshot(snapshotId, writtenBlocks(BlockHashes.from(hashes))) };
}

async function prepareGets() {
  const requests: Prepared[] = [];
  for await (const { blocks } of ebs.listSnapshotBlocks(snapshotId)) {
    for (const { blockIndex, blockToken } of blocks) {
      const path = `/snapshots/${snapshotId}/blocks/${blockIndex}`;
      const signed = signer.sign({ method: "GET", path, query: { blockToken }, headers: {} }, credentials, Date.now());
      requests.push({ method: "GET", ...signed });
    }
  }
  return { requests, finish: async () => {} };
}

function nodeSender() {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const where = { hostname: endpoint.hostname, port: endpoint.port, agent };
  return {
    send: ({ method, pathAndQuery, headers, body }: Prepared, _lane: number) =>
      new Promise<void>((resolve, reject) => {
        const call = httpRequest({ ...where, method, path: pathAndQuery, headers: { ...headers } }, (response) => {
          let byteCount = 0;
          response.on("data", (chunk: Buffer) => {
            byteCount += chunk.length;
          });
          response.once("end", () => {
            const isWhole = method === "PUT" || byteCount === SNAPSHOT_BLOCK_BYTES;
            const isDone = response.statusCode === (method === "PUT" ? 201 : 200) && isWhole;
            if (isDone) resolve();
            else reject(new Error(`${method} ${pathAndQuery}: ${response.statusCode}, ${byteCount} bytes`));
          });
        });
        call.once("error", reject);
        call.end(body);
      }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function socketSender() {
  const transport = openTransport(endpoint);
  const targets = Array.from({ length: CONNECTIONS }, () => Buffer.allocUnsafeSlow(SNAPSHOT_BLOCK_BYTES));
  return {
    async send(request: Prepared, lane: number) {
      const target = targets[lane];
      await transport.send({ ...request, ...(target === undefined ? {} : { target }) }, never);
    },
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  };
}
