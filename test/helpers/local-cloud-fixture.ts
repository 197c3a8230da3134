import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EBSClient } from "@aws-sdk/client-ebs";
import { AttachVolumeCommand, type AttachVolumeCommandOutput, EC2Client } from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "../../src/local-cloud/server.ts";
import { FakeDiskStorage } from "./fake-disk-storage.ts";

// The SDK reads it when a client is made.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface CloudFixture extends AsyncDisposable {
  readonly cloud: LocalCloud;
  readonly storage: FakeDiskStorage;
  readonly storeDirectory: string;
  /** What the cloud reported behind its answers. */
  readonly reports: string[];
  /** The account's own client, or one for another region or other credentials. */
  ec2(options?: ClientOptions): EC2Client;
  ebs(options?: ClientOptions): EBSClient;
  sts(options?: ClientOptions): STSClient;
  /** Credentials of a role in another account. */
  otherAccount(accountId: string): Promise<Credentials>;
  /** Attaches a volume to the host. */
  attach(volumeId: string, deviceName: string): Promise<AttachVolumeCommandOutput>;
  /** Closes the cloud and opens its store again. */
  restart(options?: Partial<LocalCloudOptions>): Promise<void>;
}

/** What a client sees of an error. */
export interface AwsError {
  readonly name: string;
  readonly message: string;
  /** Of the exceptions of the EBS direct APIs. */
  readonly Reason?: string;
  readonly $metadata: { readonly httpStatusCode?: number };
}

/** Waits for the call to fail as AWS says it would. */
export async function expectAwsError(
  call: Promise<unknown>,
  expected: { name: string; message?: string | RegExp; status?: number; reason?: string },
): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    // The SDK's exceptions have this shape; anything else fails the comparisons below.
    const { name, message, Reason, $metadata } = error as AwsError;
    assert.equal(name, expected.name, message);
    if (typeof expected.message === "string") assert.equal(message, expected.message);
    if (expected.message instanceof RegExp) assert.match(message, expected.message);
    if (expected.reason !== undefined) assert.equal(Reason, expected.reason, message);
    if (expected.status !== undefined) assert.equal($metadata.httpStatusCode, expected.status);
    return true;
  });
}

export interface ClientOptions {
  readonly region?: string;
  readonly credentials?: Credentials;
}

/** A local cloud of its own, with disks that need no root. Nothing is left when it is disposed. */
export async function startCloudFixture(options: Partial<LocalCloudOptions> = {}): Promise<CloudFixture> {
  await using undo = new AsyncDisposableStack();
  const storeDirectory = await mkdtemp(join(tmpdir(), "amibake-cloud-"));
  undo.defer(() => rm(storeDirectory, { recursive: true }));
  const storage = new FakeDiskStorage();
  const reports: string[] = [];
  const start = (changes: Partial<LocalCloudOptions> = {}): Promise<LocalCloud> =>
    startLocalCloud({
      storeDirectory,
      storage,
      listen: "127.0.0.1",
      port: 0,
      latency: "none",
      seed: 1,
      nitro: false,
      report: (what, error) => reports.push(`${what}: ${error instanceof Error ? error.message : String(error)}`),
      ...options,
      ...changes,
    });
  let cloud = await start();
  undo.defer(() => cloud[Symbol.asyncDispose]());
  const clients: { destroy(): void }[] = [];
  undo.defer(() => {
    for (const client of clients) client.destroy();
  });
  const owned = undo.move();
  const settings = ({ region = cloud.region, credentials = cloud.credentials }: ClientOptions) => ({
    endpoint: cloud.url,
    region,
    credentials,
    maxAttempts: 1,
    // What is signed must be of the cloud's time.
    systemClockOffset: (options.clock ?? systemClock).now() - Date.now(),
  });
  const fixture: CloudFixture = {
    get cloud() {
      return cloud;
    },
    storage,
    storeDirectory,
    reports,
    ec2(clientOptions = {}) {
      const client = new EC2Client(settings(clientOptions));
      clients.push(client);
      return client;
    },
    ebs(clientOptions = {}) {
      const client = new EBSClient(settings(clientOptions));
      clients.push(client);
      return client;
    },
    sts(clientOptions = {}) {
      const client = new STSClient(settings(clientOptions));
      clients.push(client);
      return client;
    },
    async otherAccount(accountId) {
      const command = new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${accountId}:role/tester`,
        RoleSessionName: "test",
      });
      const { Credentials: given } = await fixture.sts().send(command);
      const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = given ?? {};
      return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    },
    attach(volumeId, deviceName) {
      const input = { VolumeId: volumeId, InstanceId: cloud.instanceId, Device: deviceName };
      return fixture.ec2().send(new AttachVolumeCommand(input));
    },
    async restart(changes = {}) {
      await cloud[Symbol.asyncDispose]();
      cloud = await start(changes);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
  return fixture;
}
