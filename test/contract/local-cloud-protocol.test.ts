import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DescribeAvailabilityZonesCommand,
  DescribeInstancesCommand,
  DescribeRegionsCommand,
  DescribeVolumesCommand,
  EC2Client,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { FakeClock } from "../helpers/fake-clock.ts";
import { type CloudFixture, expectAwsError, startCloudFixture } from "../helpers/local-cloud-fixture.ts";
import { postSigned, presignedUrl, type SignedRequestOptions } from "../helpers/signed-request.ts";

const DESCRIBE = "Action=DescribeRegions&Version=2016-11-15";
const IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15";
const CREDENTIALS_INVALID = "AWS was not able to validate the provided access credentials";

interface ErrorDocument {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Reads an error in EC2's or STS's shape; a document of any other shape fails. */
async function readError(response: Response): Promise<ErrorDocument> {
  const xml = await response.text();
  assert.equal(XMLValidator.validate(xml), true, xml);
  const requestId = response.headers.get("x-amzn-requestid");
  assert.match(requestId ?? "", /^[0-9a-f-]{36}$/);
  const parsed = new XMLParser({ parseTagValue: false }).parse(xml);
  const [error, documentId] =
    "Response" in parsed
      ? [parsed.Response.Errors.Error, parsed.Response.RequestID]
      : [parsed.ErrorResponse.Error, parsed.ErrorResponse.RequestId];
  assert.equal(documentId, requestId);
  return { status: response.status, code: error.Code, message: error.Message };
}

function signing(fixture: CloudFixture): SignedRequestOptions {
  return { url: fixture.cloud.url, credentials: fixture.cloud.credentials };
}

test("A signed request is answered, in a form or in the URL, with EC2's document", async () => {
  await using fixture = await startCloudFixture();
  const options = signing(fixture);
  const posted = await postSigned(DESCRIBE, options);
  assert.equal(posted.status, 200);
  assert.equal(posted.headers.get("content-type"), "text/xml;charset=UTF-8");
  const xml = await posted.text();
  assert.equal(XMLValidator.validate(xml), true);
  assert.match(
    xml,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<DescribeRegionsResponse xmlns="http:\/\/ec2.amazonaws.com\/doc\/2016-11-15\/"><requestId>/,
  );
  const parsed = new XMLParser().parse(xml).DescribeRegionsResponse;
  assert.equal(parsed.requestId, posted.headers.get("x-amzn-requestid"));
  assert.equal(parsed.regionInfo.item.length, 17);
  const form = { Action: "DescribeRegions", Version: "2016-11-15", "RegionName.1": "eu-west-1" };
  const got = await fetch(presignedUrl(form, 60, options));
  assert.equal(got.status, 200);
  assert.match(await got.text(), /<regionName>eu-west-1<\/regionName>/);
});

test("EC2 says little about a request that it cannot authenticate", async () => {
  await using fixture = await startCloudFixture();
  const options = signing(fixture);
  const { credentials, url } = options;
  const unsigned = await fetch(url, { method: "POST", body: DESCRIBE });
  assert.deepEqual(await readError(unsigned), {
    status: 403,
    code: "MissingAuthenticationToken",
    message: "Request is missing Authentication Token",
  });
  const refused = { status: 401, code: "AuthFailure", message: CREDENTIALS_INVALID };
  const wrongSecret = { ...credentials, secretAccessKey: `${credentials.secretAccessKey}x` };
  assert.deepEqual(await readError(await postSigned(DESCRIBE, { ...options, credentials: wrongSecret })), refused);
  const unknownKey = { ...credentials, accessKeyId: "AKIAIOSFODNN7EXAMPLE" };
  assert.deepEqual(await readError(await postSigned(DESCRIBE, { ...options, credentials: unknownKey })), refused);
  const uninvitedToken = { ...credentials, sessionToken: "token" };
  assert.deepEqual(await readError(await postSigned(DESCRIBE, { ...options, credentials: uninvitedToken })), refused);
  assert.deepEqual(await readError(await postSigned(DESCRIBE, { ...options, region: "mars-1" })), refused);
  assert.deepEqual(await readError(await postSigned(DESCRIBE, { ...options, service: "s3" })), refused);
  for (const atMs of [Date.now() - 16 * 60_000, Date.now() + 16 * 60_000]) {
    const expired = await readError(await postSigned(DESCRIBE, { ...options, atMs }));
    assert.deepEqual(expired, { status: 400, code: "RequestExpired", message: "Request has expired." });
  }
  const halfSigned = await fetch(url, {
    method: "POST",
    body: DESCRIBE,
    headers: { authorization: "AWS4-HMAC-SHA256 x" },
  });
  assert.equal((await readError(halfSigned)).code, "IncompleteSignature");
});

test("STS says what is wrong", async () => {
  await using fixture = await startCloudFixture();
  const options = { ...signing(fixture), service: "sts" };
  const { credentials, url } = options;
  const code = async (changes: Partial<SignedRequestOptions>) => {
    const { status, code } = await readError(await postSigned(IDENTITY, { ...options, ...changes }));
    return `${status} ${code}`;
  };
  assert.equal((await postSigned(IDENTITY, options)).status, 200);
  assert.equal(await code({ credentials: { ...credentials, secretAccessKey: "x" } }), "403 SignatureDoesNotMatch");
  assert.equal(await code({ credentials: { ...credentials, accessKeyId: "x" } }), "403 InvalidClientTokenId");
  assert.equal(await code({ atMs: Date.now() - 3_600_000 }), "403 SignatureDoesNotMatch");
  assert.equal(await code({ region: "mars-1" }), "403 SignatureDoesNotMatch");
  const unsigned = await readError(await fetch(url, { method: "POST", body: IDENTITY }));
  assert.deepEqual([unsigned.status, unsigned.code], [403, "MissingAuthenticationToken"]);
});

test("The signature covers the body, the headers it names, and the query", async () => {
  await using fixture = await startCloudFixture();
  const options = signing(fixture);
  const form = { Action: "DescribeRegions", Version: "2016-11-15", "RegionName.1": "eu-west-1" };
  const url = presignedUrl(form, 60, options);
  const changed = await fetch(url.replace("eu-west-1", "eu-west-2"));
  assert.equal((await readError(changed)).code, "AuthFailure");
  const late = presignedUrl(form, 60, { ...options, atMs: Date.now() - 61_000 });
  assert.equal((await readError(await fetch(late))).code, "RequestExpired");
  const withHeader = await postSigned(DESCRIBE, { ...options, headers: { "x-amz-meta": "a  b" } });
  assert.equal(withHeader.status, 401, "blanks are folded in what is signed; this signer did not fold them");
  // The SDK signs characters that form and URL encoding treat differently.
  const Tags = [{ Key: "a b+c/d=e*~!'()", Value: "é ✓ 100%&<>" }];
  const ec2 = fixture.ec2();
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 }));
  await ec2.send(new CreateTagsCommand({ Resources: [VolumeId], Tags }));
  assert.deepEqual((await ec2.send(new DescribeVolumesCommand({}))).Volumes?.[0]?.Tags, Tags);
});

test("An unknown action is invalid, a known one that is missing answers by its name, and an unknown parameter is refused", async () => {
  await using fixture = await startCloudFixture();
  const options = signing(fixture);
  const error = async (form: string, service = "ec2") => readError(await postSigned(form, { ...options, service }));
  assert.deepEqual(await error("Action=BakeImage&Version=2016-11-15"), {
    status: 400,
    code: "InvalidAction",
    message: "The action BakeImage is not valid for this web service.",
  });
  assert.equal((await error("Action=constructor&Version=2016-11-15")).code, "InvalidAction");
  assert.equal((await error("Version=2016-11-15")).code, "MissingAction");
  assert.equal((await error(IDENTITY)).code, "InvalidAction", "an STS action signed for EC2");
  assert.equal((await error(DESCRIBE, "sts")).code, "InvalidAction");
  assert.deepEqual(await error(`${DESCRIBE}&Colour=red`), {
    status: 400,
    code: "UnknownParameter",
    message: "The parameter Colour is not recognized",
  });
  assert.equal((await error(`${DESCRIBE}&AllRegions=maybe`)).code, "InvalidParameterValue");
  assert.equal((await error("Action=DescribeVolumes&MaxResults=many")).code, "InvalidParameterValue");
  assert.equal((await error("Action=DeleteVolume")).message, "The request must contain the parameter VolumeId");
  const run = new RunInstancesCommand({ MinCount: 1, MaxCount: 1 });
  await expectAwsError(fixture.ec2().send(run), {
    name: "UnsupportedOperation",
    message: "The action RunInstances exists in AWS, but amibake's local cloud does not have it.",
  });
  await expectAwsError(fixture.sts().send(new GetSessionTokenCommand({})), { name: "UnsupportedOperation" });
});

const READS = [
  "DescribeAvailabilityZones",
  "DescribeImages",
  "DescribeInstances",
  "DescribeRegions",
  "DescribeSnapshots",
  "DescribeTags",
  "DescribeVolumeStatus",
  "DescribeVolumes",
  "GetEbsDefaultKmsKeyId",
  "GetEbsEncryptionByDefault",
];

test("Every answer is well-formed XML, named after its action, with hostile text escaped", async () => {
  await using fixture = await startCloudFixture();
  const options = signing(fixture);
  const hostile = `]]><a b="c">&amp; \u0000\u000b\uFFFE \r\n é ✓`;
  const ec2 = fixture.ec2();
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 }));
  await ec2.send(new CreateTagsCommand({ Resources: [VolumeId], Tags: [{ Key: "k", Value: hostile }] }));
  const parser = new XMLParser({ isArray: (name) => name === "item", parseTagValue: false, trimValues: false });
  for (const action of READS) {
    const xml = await (await postSigned(`Action=${action}&Version=2016-11-15`, options)).text();
    assert.equal(XMLValidator.validate(xml), true, xml);
    const document = parser.parse(xml)[`${action}Response`];
    assert.match(document.requestId, /^[0-9a-f-]{36}$/, action);
    assert.match(
      xml,
      new RegExp(`^<\\?xml[^>]*>\n<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">`),
    );
  }
  const { Volumes } = await ec2.send(new DescribeVolumesCommand({}));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is tested.
  const readable = hostile.replace(/[\u0000\u000b\uFFFE]/g, "\uFFFD");
  assert.equal(Volumes?.[0]?.Tags?.[0]?.Value, readable, "what XML cannot say is replaced");
});

test("Closing the cloud waits for the work of a call that is under way", async () => {
  await using fixture = await startCloudFixture();
  const { VolumeId } = await fixture.ec2().send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 }));
  let finish = () => {};
  const { createSnapshot } = fixture.storage;
  const begun = new Promise<void>((begin) => {
    fixture.storage.createSnapshot = async (snapshotId, volumeId) => {
      begin();
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return createSnapshot.call(fixture.storage, snapshotId, volumeId);
    };
  });
  const call = fixture.ec2().send(new CreateSnapshotCommand({ VolumeId }));
  const failed = assert.rejects(call);
  await begun;
  let isClosed = false;
  const closed = fixture.restart().then(() => {
    isClosed = true;
  });
  await failed;
  assert.equal(isClosed, false);
  finish();
  await closed;
});

test("Other methods and bodies that are too long are refused", async () => {
  await using fixture = await startCloudFixture();
  assert.equal((await fetch(fixture.cloud.url, { method: "DELETE" })).status, 405);
  const long = await postSigned("x".repeat(5 * 1024 * 1024), signing(fixture)).catch(() => undefined);
  assert.ok(long === undefined || long.status === 413);
  assert.equal((await postSigned(DESCRIBE, signing(fixture))).status, 200);
});

test("AssumeRole gives an account of its own, until the credentials expire", async () => {
  const clock = new FakeClock();
  await using fixture = await startCloudFixture({ clock });
  const self = await fixture.sts().send(new GetCallerIdentityCommand({}));
  assert.deepEqual(
    [self.Account, self.Arn],
    [fixture.cloud.accountId, `arn:aws:iam::${fixture.cloud.accountId}:user/local`],
  );
  const credentials = await fixture.otherAccount("222222222222");
  const other = await fixture.sts({ credentials }).send(new GetCallerIdentityCommand({}));
  assert.deepEqual([other.Account, other.Arn], ["222222222222", "arn:aws:sts::222222222222:assumed-role/tester/test"]);
  const { Reservations } = await fixture.ec2({ credentials }).send(new DescribeInstancesCommand({}));
  assert.deepEqual(Reservations, [], "the host is an instance of the store's own account");
  const noToken = { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey };
  await expectAwsError(fixture.sts({ credentials: noToken }).send(new GetCallerIdentityCommand({})), {
    name: "InvalidClientTokenId",
  });
  await fixture.restart();
  await fixture.ec2({ credentials }).send(new DescribeRegionsCommand({}));
  clock.advance(3_600_001);
  await expectAwsError(fixture.sts({ credentials }).send(new GetCallerIdentityCommand({})), { name: "ExpiredToken" });
  await expectAwsError(fixture.ec2({ credentials }).send(new DescribeRegionsCommand({})), { name: "RequestExpired" });
});

test("AssumeRole refuses what is no role, no name or no duration", async () => {
  await using fixture = await startCloudFixture();
  const RoleArn = "arn:aws:iam::222222222222:role/path/name";
  const assume = (input: object) =>
    fixture.sts().send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "session", ...input }));
  assert.match((await assume({})).AssumedRoleUser?.Arn ?? "", /assumed-role\/name\/session$/);
  await expectAwsError(assume({ RoleArn: "arn:aws:iam::222222222222:user/name" }), { name: "ValidationError" });
  await expectAwsError(assume({ RoleSessionName: "a b" }), { name: "ValidationError" });
  await expectAwsError(assume({ DurationSeconds: 60 }), {
    name: "ValidationError",
    message: /greater than or equal to 900/,
  });
  const credentials = await fixture.otherAccount("222222222222");
  const chained = new AssumeRoleCommand({ RoleArn, RoleSessionName: "session", DurationSeconds: 7200 });
  await expectAwsError(fixture.sts({ credentials }).send(chained), {
    name: "ValidationError",
    message: /role chaining/,
  });
});

test("DescribeRegions and DescribeAvailabilityZones know AWS's regions", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const all = await ec2.send(new DescribeRegionsCommand({ AllRegions: true }));
  assert.equal(all.Regions?.filter(({ OptInStatus }) => OptInStatus === "not-opted-in").length, 15);
  await expectAwsError(ec2.send(new DescribeRegionsCommand({ RegionNames: ["mars-1"] })), {
    name: "InvalidParameterValue",
    message: "Invalid region name(s) provided: mars-1",
  });
  const endpoint = { Name: "endpoint", Values: ["*us-*"] };
  assert.equal((await ec2.send(new DescribeRegionsCommand({ Filters: [endpoint] }))).Regions?.length, 4);
  const zones = (await fixture.ec2({ region: "ap-southeast-2" }).send(new DescribeAvailabilityZonesCommand({})))
    .AvailabilityZones;
  assert.deepEqual(
    zones?.map(({ ZoneName, ZoneId, State }) => [ZoneName, ZoneId, State]),
    [
      ["ap-southeast-2a", "apse2-az1", "available"],
      ["ap-southeast-2b", "apse2-az2", "available"],
      ["ap-southeast-2c", "apse2-az3", "available"],
    ],
  );
  await expectAwsError(ec2.send(new DescribeAvailabilityZonesCommand({ ZoneNames: ["us-east-1z"] })), {
    name: "InvalidParameterValue",
  });
});

test("DescribeInstances shows the host in its own region only, as the instance type that --nitro says", async () => {
  await using fixture = await startCloudFixture({ nitro: true });
  const { Reservations } = await fixture.ec2().send(new DescribeInstancesCommand({}));
  const instance = Reservations?.[0]?.Instances?.[0];
  assert.equal(instance?.InstanceId, fixture.cloud.instanceId);
  assert.match(instance?.InstanceType ?? "", /^m[56]g?\.large$/);
  assert.equal(instance?.State?.Name, "running");
  assert.equal(instance?.Placement?.AvailabilityZone, "us-east-1a");
  assert.equal(instance?.Architecture, process.arch === "arm64" ? "arm64" : "x86_64");
  const west = fixture.ec2({ region: "us-west-2" });
  assert.deepEqual((await west.send(new DescribeInstancesCommand({}))).Reservations, []);
  await expectAwsError(west.send(new DescribeInstancesCommand({ InstanceIds: [fixture.cloud.instanceId] })), {
    name: "InvalidInstanceID.NotFound",
    message: `The instance ID '${fixture.cloud.instanceId}' does not exist`,
  });
  const running = { Name: "instance-state-name", Values: ["running"] };
  assert.equal(
    (await fixture.ec2().send(new DescribeInstancesCommand({ Filters: [running] }))).Reservations?.length,
    1,
  );
});

test("The identity of a store stays over restarts, and two stores have different ones", async () => {
  await using one = await startCloudFixture();
  await using two = await startCloudFixture();
  const before = { ...one.cloud.credentials, account: one.cloud.accountId, instance: one.cloud.instanceId };
  await one.restart();
  assert.deepEqual({ ...one.cloud.credentials, account: one.cloud.accountId, instance: one.cloud.instanceId }, before);
  assert.notEqual(two.cloud.credentials.accessKeyId, before.accessKeyId);
  const foreign = new EC2Client({
    endpoint: two.cloud.url,
    region: "us-east-1",
    credentials: one.cloud.credentials,
    maxAttempts: 1,
  });
  await expectAwsError(foreign.send(new DescribeRegionsCommand({})), { name: "AuthFailure" });
  foreign.destroy();
});

test("A port that is taken is told with a hint", async () => {
  await using fixture = await startCloudFixture();
  await assert.rejects(startCloudFixture({ port: fixture.cloud.address.port }), {
    code: "ERR_LISTEN",
    message: /^Cannot listen on "127\.0\.0\.1" port \d+: /,
    hint: "Choose another address with --listen and --port",
  });
});
