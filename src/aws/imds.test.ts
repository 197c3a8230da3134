import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import { readInstanceIdentity } from "./imds.ts";

const never = new AbortController().signal;
const DOCUMENT = { instanceId: "i-1", region: "eu-west-1", availabilityZone: "eu-west-1a", accountId: "123456789012" };

async function serve(listener: RequestListener): Promise<{ server: Server; environment: Record<string, string> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // A test that fails before it closes it must not wait for it.
  server.unref();
  return { server, environment: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` } };
}

test("readInstanceIdentity() uses a token", async () => {
  const { server, environment } = await serve((request, response) => {
    if (request.method === "PUT") return response.end("the-token");
    if (request.headers["x-aws-ec2-metadata-token"] !== "the-token") return response.writeHead(401).end();
    response.end(JSON.stringify(DOCUMENT));
  });
  assert.deepEqual(await readInstanceIdentity(environment, { signal: never }), DOCUMENT);
  server.close();
});

test("readInstanceIdentity() does without a token where the service knows none", async () => {
  const { server, environment } = await serve((request, response) => {
    if (request.method === "PUT") return response.writeHead(405).end();
    response.end(JSON.stringify(DOCUMENT));
  });
  assert.deepEqual(await readInstanceIdentity(environment, { signal: never }), DOCUMENT);
  server.close();
});

test("readInstanceIdentity() gives up on a silent service after 5 s, and says so with the hop limit", async () => {
  const { server, environment } = await serve(() => {});
  await assert.rejects(readInstanceIdentity(environment, { signal: never }), (error: Error & { hint?: string }) => {
    assert.match(error.message, /cannot be used: no answer within 5 s$/);
    assert.match(error.hint ?? "", /--http-put-response-hop-limit 2/);
    assert.match(error.hint ?? "", /--local/);
    return true;
  });
  server.closeAllConnections();
  server.close();
});

test("readInstanceIdentity() names AWS_EC2_METADATA_DISABLED", async () => {
  await assert.rejects(readInstanceIdentity({ AWS_EC2_METADATA_DISABLED: "true" }, { signal: never }), {
    message: "Cannot find out which EC2 instance this is: AWS_EC2_METADATA_DISABLED is set to true",
    hint: "Unset AWS_EC2_METADATA_DISABLED",
  });
});

/** What fails a question once, and whether it is asked again. */
const PASSING: readonly [string, RequestListener][] = [
  ["an error of the service", (_, response) => response.writeHead(503).end()],
  ["throttling", (_, response) => response.writeHead(429).end()],
  ["a connection that breaks", (request) => request.socket.resetAndDestroy()],
];

for (const [what, fail] of PASSING) {
  test(`readInstanceIdentity() asks again after ${what}, and gives up when it does not pass`, async () => {
    let failuresLeft = 2;
    const { server, environment } = await serve((request, response) => {
      if (failuresLeft-- > 0) return fail(request, response);
      response.end(request.method === "PUT" ? "the-token" : JSON.stringify(DOCUMENT));
    });
    const reasons: string[] = [];
    const options = {
      signal: never,
      clock: scaledClock(100),
      onRetry: (_call: string, _attempt: number, reason: string) => void reasons.push(reason),
    };
    assert.deepEqual(await readInstanceIdentity(environment, options), DOCUMENT);
    assert.equal(reasons.length, 2);
    failuresLeft = 1000;
    await assert.rejects(readInstanceIdentity(environment, options), { code: "ERR_NOT_AN_INSTANCE" });
    assert.equal(reasons.length, 6);
    server.closeAllConnections();
    server.close();
  });
}
