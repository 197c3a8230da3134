// No output tells a secret: wherever it comes from, and however a script writes it.
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { runToExit } from "../../src/linux/run-command.ts";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Where a build finds its credentials. */
interface Origin extends Partial<AsyncDisposable> {
  readonly keys: Keys;
  readonly builder?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Keys of a role, which no other build has. */
async function newKeys(): Promise<Keys> {
  const { AWS_ENDPOINT_URL: endpoint = "", AWS_REGION: region = "", ...environment } = cloud.environment;
  const credentials = {
    accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
    secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
  };
  const sts = new STSClient({ endpoint, region, credentials });
  const { Account } = await sts.send(new GetCallerIdentityCommand({}));
  const role = { RoleArn: `arn:aws:iam::${Account}:role/builder`, RoleSessionName: "test" };
  const { Credentials } = await sts.send(new AssumeRoleCommand(role));
  sts.destroy();
  assert.ok(Credentials?.AccessKeyId && Credentials.SecretAccessKey && Credentials.SessionToken);
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials;
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

/** The local cloud's own environment, less its keys. */
function environmentWithoutKeys(): Record<string, string> {
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...rest } = cloud.environment;
  return rest;
}

const ORIGINS: Readonly<Record<string, () => Promise<Origin>>> = {
  async template() {
    const keys = await newKeys();
    const builder = { access_key: keys.accessKeyId, secret_key: keys.secretAccessKey, token: keys.sessionToken };
    return { keys, builder };
  },
  async environment() {
    const keys = await newKeys();
    return { keys, environment: environmentOf(keys) };
  },
  async profile() {
    const keys = await newKeys();
    const file = join(cloud.scratch, "credentials");
    const lines = [
      `aws_access_key_id = ${keys.accessKeyId}`,
      `aws_secret_access_key = ${keys.secretAccessKey}`,
      `aws_session_token = ${keys.sessionToken}`,
    ];
    await writeFile(file, `[baker]\n${lines.join("\n")}\n`);
    return { keys, builder: { profile: "baker", shared_credentials_file: file } };
  },
  async "instance role"() {
    const base = `${cloud.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"]}/latest`;
    const ttl = { "X-aws-ec2-metadata-token-ttl-seconds": "60" };
    const token = await (await fetch(`${base}/api/token`, { method: "PUT", headers: ttl })).text();
    const get = async (path: string) =>
      (await fetch(`${base}/meta-data/${path}`, { headers: { "X-aws-ec2-metadata-token": token } })).text();
    const role = await get("iam/security-credentials/");
    const found = JSON.parse(await get(`iam/security-credentials/${role}`));
    const keys = { accessKeyId: found.AccessKeyId, secretAccessKey: found.SecretAccessKey, sessionToken: found.Token };
    return { keys };
  },
  async "web identity"() {
    const keys = await newKeys();
    // STS as far as this needs it: whoever asks gets the keys.
    const server = createServer((_request, response) => {
      response.end(`<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>${keys.accessKeyId}</AccessKeyId><SecretAccessKey>${keys.secretAccessKey}</SecretAccessKey>
        <SessionToken>${keys.sessionToken}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const tokenFile = join(cloud.scratch, "identity-token");
    await writeFile(tokenFile, "an identity token");
    return {
      keys,
      environment: {
        AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
        AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/builder",
        AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      },
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
};

function environmentOf({ accessKeyId, secretAccessKey, sessionToken }: Keys): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}

const PASSWORD = "hunter2 & it's $5\nsecond line";

/** Prints every secret in every way, and fails, so that the last lines are told once more in the error. */
function tellingScript(secrets: readonly string[]): string {
  return secrets
    .map((secret) => {
      const content = `'${secret.replaceAll("'", "'\\''")}'`;
      return `printf '%s\\n' ${content} ${content}${content} | tee /dev/stderr
        printf 'a:%s' ${content} | base64
        printf '%s' ${content} | base64 -w 0; echo
        printf '%s\\n' '${encodeURIComponent(secret).replaceAll("'", "%27")}'`;
    })
    .join("\n")
    .concat("\nexit 3");
}

/** A template whose script tells the secrets, of which `password` is a sensitive variable. */
async function tellingTemplate(
  builder: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
): Promise<string> {
  const path = await writeTemplate(cloud, builder);
  const template = JSON.parse(await readFile(path, "utf8")) as object;
  const provisioners = [
    {
      type: "shell",
      environment_vars: ["PASSWORD={{user `password`}}"],
      inline: ["set -x", 'echo "$PASSWORD"', tellingScript([...secrets, PASSWORD])],
    },
  ];
  const rest = { variables: { password: PASSWORD }, "sensitive-variables": ["password"], provisioners };
  await writeFile(path, JSON.stringify({ ...template, ...rest }));
  return path;
}

/** What of a secret must not be seen. */
function tracesOf(secret: string): string[] {
  const lines = secret.split("\n");
  const base64 = Buffer.from(secret).toString("base64");
  return [...lines, ...lines.map((line) => encodeURIComponent(line)), base64.slice(0, 40), base64.slice(0, -4)];
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Builds, and asserts that neither the output nor what amibake wrote down holds a trace of the secrets. */
async function assertNothingTold(
  origin: Origin,
  options: { flags?: readonly string[]; isTerminal?: boolean } = {},
): Promise<string> {
  const secrets = Object.values(origin.keys);
  const template = await tellingTemplate({ ...origin.builder }, secrets);
  const argv = [...(await amibakeCommand()), "build", ...(options.flags ?? []), template];
  const state = join(cloud.scratch, "state");
  const env = {
    ...environmentWithoutKeys(),
    ...origin.environment,
    AMIBAKE_STATE_DIR: state,
    PATH: process.env["PATH"] ?? "",
    HOME: cloud.scratch,
    TERM: "xterm",
  };
  const onTerminal = ["script", "--quiet", "--return", "--command", argv.join(" "), "/dev/null"];
  const lines: string[] = [];
  const { exitCode } = await runToExit(options.isTerminal ? onTerminal : argv, {
    env,
    cwd: cloud.scratch,
    onLine: (_stream, line) => lines.push(line),
  });
  const output = stripVTControlCharacters(lines.join("\n"));
  assert.equal(exitCode, 1, output);
  assert.match(output, /Cannot finish the inline script: exit code is 3/);
  assert.match(output, /<sensitive><sensitive>/);
  const written = await Promise.all((await filesBelow(state)).map((file) => readFile(file, "utf8")));
  for (const text of [output, ...written]) {
    for (const trace of [...secrets, PASSWORD].flatMap(tracesOf)) {
      assert.ok(!text.includes(trace), `"${trace}" is told:\n${text}`);
    }
  }
  return output;
}

for (const [name, open] of Object.entries(ORIGINS)) {
  test(`keys of the ${name} are not told`, async () => {
    const origin = await open();
    try {
      await assertNothingTold(origin);
    } finally {
      await origin[Symbol.asyncDispose]?.();
    }
  });
}

test("the journal of a build that was killed tells no secret, nor does cleaning up after it", async () => {
  const password = "hunter2-of-the-name";
  const keys = await newKeys();
  const path = await writeTemplate(cloud, { name: "web {{user `password`}}" }, [
    { type: "shell", inline: ["echo provisioning", "sleep 600"] },
  ]);
  const template = JSON.parse(await readFile(path, "utf8")) as object;
  const rest = { variables: { password }, "sensitive-variables": ["password"] };
  await writeFile(path, JSON.stringify({ ...template, ...rest }));
  const killed = await cloud.amibake(["build", path], {
    env: environmentOf(keys),
    onStart: (child) => void child.printed("provisioning\n").then(() => child.kill("SIGKILL")),
  });
  assert.equal(killed.signal, "SIGKILL");
  const journals = await filesBelow(join(cloud.scratch, "state/builds"));
  assert.equal(journals.length, 1);
  const journal = await readFile(journals[0] ?? "", "utf8");
  assert.match(journal, /"buildName":"web <sensitive>"/);
  const cleaned = await cloud.amibake(["clean", "--settle", "1s"], { env: environmentOf(keys) });
  assert.equal(cleaned.exitCode, 0, cleaned.stderr);
  for (const text of [killed.stdout, killed.stderr, journal, cleaned.stdout, cleaned.stderr]) {
    for (const secret of [...Object.values(keys), password]) assert.ok(!text.includes(secret), text);
  }
});

const FORMS = {
  JSON: { flags: ["--json"] },
  "machine-readable": { flags: ["-machine-readable"] },
  terminal: { isTerminal: true },
};
for (const [name, options] of Object.entries(FORMS)) {
  test(`the ${name} output tells no secret`, async () => {
    const keys = await newKeys();
    await assertNothingTold({ keys, environment: environmentOf(keys) }, options);
  });
}
