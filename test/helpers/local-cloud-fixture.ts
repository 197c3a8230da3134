import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EC2Client } from "@aws-sdk/client-ec2";
import { STSClient } from "@aws-sdk/client-sts";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "../../src/local-cloud/server.ts";
import { FakeDiskStorage } from "./fake-disk-storage.ts";

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
  sts(options?: ClientOptions): STSClient;
  /** Closes the cloud and opens its store again. */
  restart(options?: Partial<LocalCloudOptions>): Promise<void>;
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
  });
  return {
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
    sts(clientOptions = {}) {
      const client = new STSClient(settings(clientOptions));
      clients.push(client);
      return client;
    },
    async restart(changes = {}) {
      await cloud[Symbol.asyncDispose]();
      cloud = await start(changes);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
