import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { readInstanceIdentity } from "./imds.ts";

const never = new AbortController().signal;
const DOCUMENT = { instanceId: "i-1", region: "eu-west-1", availabilityZone: "eu-west-1a", accountId: "123456789012" };

async function serve(listener: RequestListener): Promise<{ server: Server; environment: Record<string, string> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { server, environment: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}` } };
}

test("readInstanceIdentity() uses a token", async () => {
  const { server, environment } = await serve((request, response) => {
    if (request.method === "PUT") return response.end("the-token");
    if (request.headers["x-aws-ec2-metadata-token"] !== "the-token") return response.writeHead(401).end();
    response.end(JSON.stringify(DOCUMENT));
  });
  assert.deepEqual(await readInstanceIdentity(environment, never), DOCUMENT);
  server.close();
});

test("readInstanceIdentity() does without a token where the service knows none", async () => {
  const { server, environment } = await serve((request, response) => {
    if (request.method === "PUT") return response.writeHead(405).end();
    response.end(JSON.stringify(DOCUMENT));
  });
  assert.deepEqual(await readInstanceIdentity(environment, never), DOCUMENT);
  server.close();
});

test("readInstanceIdentity() gives up on a silent service after 2 s, and says so with the hop limit", async () => {
  const { server, environment } = await serve(() => {});
  const start = performance.now();
  await assert.rejects(readInstanceIdentity(environment, never), (error: Error & { hint?: string }) => {
    assert.match(error.message, /cannot be used: no answer within 2 s$/);
    assert.match(error.hint ?? "", /--http-put-response-hop-limit 2/);
    assert.match(error.hint ?? "", /--local/);
    return true;
  });
  assert.ok(performance.now() - start < 4000);
  server.closeAllConnections();
  server.close();
});

test("readInstanceIdentity() names AWS_EC2_METADATA_DISABLED", async () => {
  await assert.rejects(readInstanceIdentity({ AWS_EC2_METADATA_DISABLED: "true" }, never), {
    message: "Cannot find out which EC2 instance this is: AWS_EC2_METADATA_DISABLED is set to true",
    hint: "Unset AWS_EC2_METADATA_DISABLED",
  });
});
