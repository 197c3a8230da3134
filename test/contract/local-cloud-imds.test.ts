import assert from "node:assert/strict";
import { test } from "node:test";
import { DescribeRegionsCommand } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
import { FakeClock } from "../helpers/fake-clock.ts";
import { startCloudFixture } from "../helpers/local-cloud-fixture.ts";

const IMDS = { host: "127.0.0.1", port: 0 };

async function token(url: string, ttlSeconds: string, headers = {}): Promise<Response> {
  return fetch(`${url}/latest/api/token`, {
    method: "PUT",
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": ttlSeconds, ...headers },
  });
}

test("The metadata service answers on its own port and under /latest/ of the EC2 port", async () => {
  await using fixture = await startCloudFixture({ imds: IMDS });
  const { cloud } = fixture;
  for (const url of [cloud.url, cloud.imdsUrl ?? ""]) {
    const read = async (path: string) => {
      const response = await fetch(`${url}/latest/${path}`);
      assert.equal(response.status, 200, path);
      return response.text();
    };
    assert.equal(await read("meta-data/instance-id"), cloud.instanceId);
    assert.equal(await read("meta-data/placement/availability-zone"), "us-east-1a");
    assert.equal(await read("meta-data/placement/region"), "us-east-1");
    assert.match(await read("meta-data/mac"), /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    const document = JSON.parse(await read("dynamic/instance-identity/document"));
    assert.deepEqual(
      [document.instanceId, document.region, document.accountId, document.availabilityZone],
      [cloud.instanceId, "us-east-1", cloud.accountId, "us-east-1a"],
    );
    assert.equal(await read("meta-data/iam/security-credentials/"), "amibake-local");
    assert.match(await read("meta-data/"), /^ami-id\n.*block-device-mapping\/\n/s);
    assert.equal(await read("meta-data/placement"), "availability-zone\nregion");
  }
  assert.equal((await fetch(`${cloud.imdsUrl}/latest/meta-data/nothing`)).status, 404);
  assert.equal((await fetch(`${cloud.imdsUrl}/`)).status, 404);
  assert.equal((await fetch(`${cloud.imdsUrl}/latest/meta-data/`, { method: "POST" })).status, 405);
});

test("A token is given by PUT, with a time to live, and not to proxies", async () => {
  const clock = new FakeClock();
  await using fixture = await startCloudFixture({ clock, requireImdsToken: true });
  const { url, instanceId } = fixture.cloud;
  const read = (headers = {}) => fetch(`${url}/latest/meta-data/instance-id`, { headers });
  assert.equal((await read()).status, 401);
  assert.equal((await read({ "x-aws-ec2-metadata-token": "invented" })).status, 401);
  const issued = await token(url, "60");
  assert.equal(issued.headers.get("x-aws-ec2-metadata-token-ttl-seconds"), "60");
  const headers = { "x-aws-ec2-metadata-token": await issued.text() };
  assert.equal(await (await read(headers)).text(), instanceId);
  clock.advance(60_001);
  assert.equal((await read(headers)).status, 401);
  assert.equal((await token(url, "60", { "x-forwarded-for": "10.0.0.1" })).status, 403);
  for (const ttl of ["0", "21601", "soon", ""]) assert.equal((await token(url, ttl)).status, 400, ttl);
  assert.equal((await fetch(`${url}/latest/api/token`)).status, 405);
});

test("The SDK's instance credentials work, and are renewed before they end", async () => {
  const clock = new FakeClock();
  await using fixture = await startCloudFixture({ clock, imds: IMDS, requireImdsToken: true });
  const before = process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
  process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = fixture.cloud.imdsUrl;
  try {
    const read = () => fromInstanceMetadata({ maxRetries: 0 })();
    const credentials = await read();
    const identity = await fixture.sts({ credentials }).send(new GetCallerIdentityCommand({}));
    assert.equal(
      identity.Arn,
      `arn:aws:sts::${fixture.cloud.accountId}:assumed-role/amibake-local/${fixture.cloud.instanceId}`,
    );
    assert.equal((await read()).accessKeyId, credentials.accessKeyId);
    clock.advance(5 * 3_600_000 + 1);
    const renewed = await read();
    assert.notEqual(renewed.accessKeyId, credentials.accessKeyId);
    await fixture.ec2({ credentials: renewed }).send(new DescribeRegionsCommand({}));
  } finally {
    if (before === undefined) delete process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
    else process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = before;
  }
});
