import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { httpDataSchema } from "../../template/schema/data-sources/http.ts";
import { createDataSources } from "./create-data-sources.ts";

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Received {
  readonly target: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** Data sources whose AWS is a server of the test's own. */
async function openSources(answer: (received: Received) => Answer) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const one = { ...headersOf(request), body: await bodyOf(request) };
    received.push(one);
    const { status = 200, headers = {}, body } = answer(one);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secrets: string[] = [];
  const sources = createDataSources({
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "AKIATEST",
      AWS_SECRET_ACCESS_KEY: "secret-key",
    },
    signal: new AbortController().signal,
    onRetry: () => {},
    onSecret: (secret) => secrets.push(secret),
  });
  return {
    sources,
    received,
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function headersOf({ headers }: IncomingMessage): Omit<Received, "body"> {
  return { target: headers["x-amz-target"]?.toString(), authorization: headers.authorization };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const PARAMETER = { name: "/app/x", with_decryption: true };
const SECRET = { name: "login", version_stage: "AWSCURRENT" };

test("a parameter is asked of Systems Manager by a signed request, once; a SecureString is secret", async () => {
  const body = { Parameter: { Name: "/app/x", Type: "SecureString", Value: "v", Version: 3, ARN: "arn:x" } };
  await using cloud = await openSources(() => ({ body: JSON.stringify(body) }));
  const expected = { outputs: { value: "v", version: "3", arn: "arn:x" }, secrets: ["v"] };
  assert.deepEqual(await cloud.sources.getParameter(PARAMETER), expected);
  assert.deepEqual(await cloud.sources.getParameter({ ...PARAMETER }), expected);
  const [first, ...others] = cloud.received;
  assert.deepEqual(others, []);
  assert.equal(first?.target, "AmazonSSM.GetParameter");
  assert.deepEqual(JSON.parse(first.body), { Name: "/app/x", WithDecryption: true });
  assert.match(
    first.authorization ?? "",
    /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-west-1\/ssm\/aws4_request,/,
  );
});

test("what the service refuses is told with its code, and is no answer to remember", async () => {
  const refusal = { status: 400, body: '{"__type":"ParameterNotFound","message":"no such"}' };
  const good = { body: '{"Parameter":{"Value":"v"}}' };
  const answers = [refusal, good];
  await using cloud = await openSources(() => answers.shift() ?? good);
  await assert.rejects(cloud.sources.getParameter(PARAMETER), {
    code: "ERR_AWS",
    message: 'Cannot GetParameter "/app/x": ParameterNotFound: no such',
  });
  assert.equal((await cloud.sources.getParameter(PARAMETER)).outputs["value"], "v");
});

test("a secret is a text, or a key of a JSON object", async () => {
  const secret = JSON.stringify({ user: "me", password: "hunter2" });
  await using cloud = await openSources(() => ({ body: JSON.stringify({ SecretString: secret, VersionId: "v1" }) }));
  const valueOfKey = async (key?: string) => (await cloud.sources.getSecret({ ...SECRET, key })).outputs["value"];
  assert.equal(await valueOfKey("password"), "hunter2");
  assert.equal(await valueOfKey(), "me");
  const answer = await cloud.sources.getSecret({ ...SECRET, key: "user" });
  assert.deepEqual(answer, {
    outputs: { value: "me", secret_string: secret, version_id: "v1" },
    secrets: [secret, "me"],
  });
  await assert.rejects(valueOfKey("pasword"), {
    code: "ERR_SECRET",
    message: 'Cannot find the key "pasword" of the secret "login": it has "user", "password"',
  });
  assert.equal(cloud.received[0]?.target, "secretsmanager.GetSecretValue");
});

test("a URL is fetched with its name and password, and gives its headers", async () => {
  await using cloud = await openSources(({ body }) => ({ headers: { "x-kind": "test" }, body: `got ${body}` }));
  const config = httpDataSchema.parse({ url: `${cloud.url}/x`, method: "POST", request_body: "hello" });
  const { outputs } = await cloud.sources.fetchUrl(config);
  const named = cloud.url.replace("//", "//user:p%40ss@");
  const answer = await cloud.sources.fetchUrl(httpDataSchema.parse({ url: named }));
  assert.deepEqual(answer.secrets, ["p@ss"]);
  assert.equal(cloud.received[1]?.authorization, `Basic ${Buffer.from("user:p@ss").toString("base64")}`);
  assert.equal(outputs["body"], "got hello");
  assert.equal((outputs["request_headers"] as Record<string, string>)["x-kind"], "test");
});

test("an answer of no success, none, and one without an end are told", async () => {
  await using cloud = await openSources(() => ({ status: 404, body: "no" }));
  const fetchOf = (url: string) => cloud.sources.fetchUrl(httpDataSchema.parse({ url }));
  await assert.rejects(fetchOf(cloud.url.replace("//", "//user:password@")), {
    code: "ERR_DATA_SOURCE",
    message: `Cannot GET "${cloud.url}/": the answer is 404 Not Found`,
  });
  for (const port of [1, 6000, 10080]) {
    const why = "Node.js asks nothing of this port, as browsers do: it is another service's";
    const refused = { code: "ERR_DATA_SOURCE", message: `Cannot GET "http://127.0.0.1:${port}/": ${why}` };
    await assert.rejects(fetchOf(`http://127.0.0.1:${port}/`), refused);
  }
  await using endless = await openSources(() => ({ body: "x".repeat(5 * 1024 ** 2) }));
  await assert.rejects(endless.sources.fetchUrl(httpDataSchema.parse({ url: endless.url })), {
    message: `Cannot GET "${endless.url}": the answer is longer than 4 MiB`,
  });
});
