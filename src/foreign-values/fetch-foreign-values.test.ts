// Against real servers on loopback that answer as Consul, Vault and Secrets Manager do.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "../base/clock.ts";
import { NEVER } from "../base/never.ts";
import { type ForeignRequest, ForeignValueError } from "../template/foreign-values.ts";
import { foreignValueFetcher } from "./fetch-foreign-values.ts";

interface Answer {
  readonly status?: number;
  readonly body?: string;
}

/** Serves one answer after the other, the last one for ever, and keeps what was asked. */
async function serve(...answers: readonly Answer[]): Promise<AsyncDisposable & { url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server: Server = createServer(async (request, response) => {
    asked.push({ request, body: await bodyOf(request) });
    const { status = 200, body = "" } = answers[Math.min(asked.length, answers.length) - 1] ?? {};
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Asked {
  readonly request: IncomingMessage;
  readonly body: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function fetchValue(
  request: ForeignRequest,
  environment: Record<string, string>,
): Promise<{ value: string; secrets: string[] }> {
  const secrets: string[] = [];
  const fetch = foreignValueFetcher({ environment, clock: systemClock, onSecret: (secret) => secrets.push(secret) });
  return { value: await fetch(request, NEVER), secrets };
}

/** The message and the hint. */
async function failure(request: ForeignRequest, environment: Record<string, string>): Promise<string> {
  try {
    const { value } = await fetchValue(request, environment);
    return `no failure, but ${value}`;
  } catch (error) {
    assert.ok(error instanceof ForeignValueError, String(error));
    return `${error.message} | ${error.hint}`.replace(/127\.0\.0\.1:\d+/g, "HOST");
  }
}

const consul = (key: string): ForeignRequest => ({ service: "consul", key });
const vault = (path: string, key: string): ForeignRequest => ({ service: "vault", path, key });
const secret = (secretId: string, rest: { key?: string; isRaw?: boolean } = {}): ForeignRequest => ({
  service: "secretsmanager",
  secretId,
  ...rest,
});

test("a key of Consul is asked for as it is, with the token", async () => {
  await using server = await serve({ body: "blue" });
  const environment = { CONSUL_HTTP_ADDR: server.url.replace("http://", ""), CONSUL_HTTP_TOKEN: "t" };
  assert.deepEqual(await fetchValue(consul("a b/c"), environment), { value: "blue", secrets: [] });
  assert.equal(server.asked[0]?.request.url, "/v1/kv/a%20b/c?raw=");
  assert.equal(server.asked[0]?.request.headers["x-consul-token"], "t");
});

test("what Consul does not give is told by its reason", async () => {
  const messageFor = async (answer: Answer) => {
    await using server = await serve(answer);
    return await failure(consul("a/b"), { CONSUL_HTTP_ADDR: server.url });
  };
  const start = 'Cannot get key "a/b" from Consul at http://HOST:';
  assert.equal(
    await messageFor({ status: 404 }),
    `${start} there is no such key | See which there are: consul kv get -keys "a/b"`,
  );
  assert.equal(
    await messageFor({ status: 403 }),
    `${start} the token may not read it | Set CONSUL_HTTP_TOKEN to a token with key:read`,
  );
  assert.equal(await messageFor({ body: "" }), `${start} its value is empty | undefined`);
  assert.equal(await messageFor({ status: 500 }), `${start} it answers with status 500 | undefined`);
});

test("Consul is asked again after a status that passes", async () => {
  await using server = await serve({ status: 503 }, { body: "blue" });
  const { value } = await fetchValue(consul("a"), { CONSUL_HTTP_ADDR: server.url });
  assert.equal(value, "blue");
  assert.equal(server.asked.length, 2);
});

test("where nobody listens, the variable to set is named", async () => {
  let url: string;
  {
    await using server = await serve();
    url = server.url;
  }
  assert.match(await failure(consul("a"), { CONSUL_HTTP_ADDR: url }), /ECONNREFUSED HOST \| Check CONSUL_HTTP_ADDR$/);
  assert.match(
    await failure(vault("a", "b"), { VAULT_ADDR: url, VAULT_TOKEN: "t" }),
    /^Cannot read "a" from Vault at http:\/\/HOST: connect ECONNREFUSED HOST \| Check VAULT_ADDR$/,
  );
  assert.match(await failure(consul("a"), { CONSUL_HTTP_ADDR: "http://" }), /CONSUL_HTTP_ADDR is "http:\/\/"/);
  assert.match(await failure(vault("a", "b"), { VAULT_ADDR: "host", VAULT_TOKEN: "t" }), /VAULT_ADDR is "host"/);
  assert.match(
    await failure(vault("a", "b"), { VAULT_ADDR: url, VAULT_TOKEN: "t", VAULT_CACERT: "/nowhere" }),
    /Cannot read the certificates "\/nowhere" of VAULT_CACERT: ENOENT/,
  );
});

test("a field of Vault is found in both versions of the key-value store, and kept from view", async () => {
  await using first = await serve({ body: JSON.stringify({ data: { foo: "one" } }) });
  await using second = await serve({ body: JSON.stringify({ data: { data: { foo: "two" }, metadata: {} } }) });
  const environment = (url: string) => ({ VAULT_ADDR: url, VAULT_TOKEN: "token", VAULT_NAMESPACE: "team" });
  assert.deepEqual(await fetchValue(vault("/kv/hello", "foo"), environment(first.url)), {
    value: "one",
    secrets: ["token", "one"],
  });
  const { value } = await fetchValue(vault("secret/data/hello", "foo"), environment(second.url));
  assert.equal(value, "two");
  const { request } = second.asked[0] ?? assert.fail("nothing was asked");
  assert.equal(request.url, "/v1/secret/data/hello");
  assert.equal(request.headers["x-vault-token"], "token");
  assert.equal(request.headers["x-vault-namespace"], "team");
});

test("what Vault does not give is told by its reason", async () => {
  const messageFor = async (answer: Answer) => {
    await using server = await serve(answer);
    return await failure(vault("kv/a", "foo"), { VAULT_ADDR: server.url, VAULT_TOKEN: "t" });
  };
  assert.equal(
    await failure(vault("kv/a", "foo"), { VAULT_ADDR: "http://127.0.0.1:1" }),
    'Cannot read "kv/a" from Vault: VAULT_TOKEN is not set | Log in and set it: export VAULT_TOKEN=$(vault print token)',
  );
  assert.match(
    await messageFor({ status: 404 }),
    /there is no such secret \| The path of a key-value store of version 2/,
  );
  assert.match(await messageFor({ status: 403 }), /the token may not read it \| Check VAULT_TOKEN/);
  assert.match(
    await messageFor({ status: 503, body: '{"errors":["Vault is sealed"]}' }),
    /it answers with status 503: Vault is sealed/,
  );
  assert.match(await messageFor({ body: "<html>" }), /its answer is none of Vault's/);
  assert.match(await messageFor({ body: '{"data":{"bar":"x"}}' }), /it has no field "foo", but "bar"/);
  assert.match(await messageFor({ body: '{"data":{"foo":1}}' }), /its field "foo" is no text/);
});

const AWS = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalr", AWS_REGION: "eu-west-1" };

test("a secret of AWS is asked for by one signed request", async () => {
  await using server = await serve({ body: JSON.stringify({ Name: "a", SecretString: "pass" }) });
  const environment = { ...AWS, AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url };
  const { value, secrets } = await fetchValue(secret("a"), environment);
  assert.equal(value, "pass");
  assert.deepEqual(secrets, ["AKIDEXAMPLE", "wJalr", "pass"]);
  const { request, body } = server.asked[0] ?? assert.fail("nothing was asked");
  assert.equal(request.method, "POST");
  assert.equal(request.headers["x-amz-target"], "secretsmanager.GetSecretValue");
  assert.match(
    request.headers.authorization ?? "",
    /Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/secretsmanager\/aws4_request/,
  );
  assert.deepEqual(JSON.parse(body), { SecretId: "a", VersionStage: "AWSCURRENT" });
});

test("of a secret that is a JSON object a key is taken, or the only one, or all of it as it is", async () => {
  const text = JSON.stringify({ user: "me", port: 22, list: [] });
  await using server = await serve({ body: JSON.stringify({ SecretString: text }) });
  await using single = await serve({ body: JSON.stringify({ SecretString: '{"user":"me"}' }) });
  const environment = (url: string) => ({ ...AWS, AWS_ENDPOINT_URL: url });
  const value = async (request: ForeignRequest, url = server.url) =>
    (await fetchValue(request, environment(url))).value;
  assert.equal(await value(secret("a", { key: "user" })), "me");
  assert.equal(await value(secret("a", { key: "port" })), "22");
  assert.equal(await value(secret("a", { isRaw: true })), text);
  assert.equal(await value(secret("a"), single.url), "me");
  const message = (request: ForeignRequest) => failure(request, environment(server.url));
  assert.equal(
    await message(secret("a")),
    'Cannot use secret "a": it has 3 keys, and none was named | Its keys are "user", "port", "list"',
  );
  assert.match(await message(secret("a", { key: "nope" })), /it has no key "nope"/);
  assert.match(await message(secret("a", { key: "list" })), /the value of "list" is no text/);
});

test("what AWS refuses is told by its code", async () => {
  const body = JSON.stringify({ __type: "ResourceNotFoundException", Message: "Secrets Manager can't find it" });
  await using server = await serve({ status: 400, body });
  await using binary = await serve({ body: '{"SecretBinary":"AA=="}' });
  assert.match(
    await failure(secret("a"), { ...AWS, AWS_ENDPOINT_URL: server.url }),
    /^Cannot GetSecretValue "a": ResourceNotFoundException: Secrets Manager can't find it/,
  );
  assert.equal(server.asked.length, 1);
  assert.match(await failure(secret("a"), { ...AWS, AWS_ENDPOINT_URL: binary.url }), /it is binary, and no text/);
});
