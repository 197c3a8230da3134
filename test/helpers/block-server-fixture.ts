import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EbsApi, EbsUsage } from "../../src/aws/ebs-api.ts";
import type { EbsSdkOptions } from "../../src/aws/ebs-sdk.ts";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import type { SnapshotId } from "../../src/base/ids.ts";
import { seededRandom } from "../../src/base/random.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";
import { type BlockSource, type BlockSourceOptions, openBlockSource } from "../../src/block-server/client.ts";
import { type BlockServerOptions, runBlockServer } from "../../src/block-server/run-block-server.ts";
import { FakeEbs } from "./fake-ebs.ts";
import { NbdClient } from "./nbd-client.ts";

export const SNAPSHOT = "snap-0123456789abcdef0" as SnapshotId;
export const ADDRESS = {
  ...{ snapshotId: SNAPSHOT, accountId: "123456789012", region: "us-east-1" },
  endpoint: "https://ebs.test/",
} as const;
export const CREDENTIALS = { accessKeyId: "AKIATEST", secretAccessKey: "secret-of-the-test" } as const;

export interface TestBlockServer extends AsyncDisposable {
  readonly ebs: FakeEbs;
  readonly cacheDirectory: string;
  /** What the server had to say to nobody. */
  readonly reports: string[];
  open(options?: Partial<BlockSourceOptions>): Promise<BlockSource>;
  /** Ends the server, if it has not ended, and starts another one on the same cache. */
  restart(options?: Partial<BlockServerOptions>): Promise<void>;
  /** Resolves when the server has ended. */
  readonly ended: Promise<void>;
}

/** A block server in this process, on a fake of EBS. */
export async function startTestBlockServer(
  ebs: FakeEbs,
  options: Partial<BlockServerOptions> = {},
): Promise<TestBlockServer> {
  await using undo = new AsyncDisposableStack();
  const parent = await mkdtemp(join(tmpdir(), "amibake-blocks-"));
  undo.defer(() => rm(parent, { recursive: true }));
  const cacheDirectory = join(parent, "cache");
  const reports: string[] = [];
  const start = async (changes: Partial<BlockServerOptions> = {}) => {
    const controller = new AbortController();
    let onReady = () => {};
    const ready = new Promise<void>((resolve) => {
      onReady = resolve;
    });
    const ended = runBlockServer({
      cacheDirectory,
      cacheBytesMax: 1024 ** 3,
      isGuest: true,
      openEbs: (ebsOptions) => Promise.resolve(fakeApi(ebs, ebsOptions)),
      signal: controller.signal,
      onReady,
      report: (message) => reports.push(message),
      ...options,
      ...changes,
    });
    await Promise.race([ready, ended]);
    return { ended, stop: () => controller.abort(new Error("The test ends")) };
  };
  let server = await start();
  const owned = undo.move();
  return {
    ...{ ebs, cacheDirectory, reports },
    get ended() {
      return server.ended;
    },
    open: (changes = {}) =>
      openBlockSource({
        cacheDirectory,
        startCommand: ["false"],
        environment: {},
        snapshot: ADDRESS,
        credentials: () => Promise.resolve(CREDENTIALS),
        signal: new AbortController().signal,
        onRetry: () => {},
        onMessage: (text) => assert.fail(text),
        onFailure: (error) => assert.fail(error),
        ...changes,
      }),
    async restart(changes) {
      server.stop();
      await server.ended;
      server = await start(changes);
    },
    async [Symbol.asyncDispose]() {
      server.stop();
      await server.ended;
      await using _parent = owned;
      assert.deepEqual(await readdir(join(cacheDirectory, "incoming")), []);
    },
  };
}

/** As one client's API: it signs with its credentials, counts its own requests and ends with its signal. */
export function fakeApi(ebs: FakeEbs, { signal, credentials }: EbsSdkOptions): EbsApi & Disposable {
  const usage: EbsUsage = { getSnapshotBlock: 0, putSnapshotBlock: 0, list: 0, other: 0 };
  return {
    region: ebs.region,
    usage,
    endpoint: () => ebs.endpoint(),
    startSnapshot: (plan) => ebs.startSnapshot(plan),
    putSnapshotBlock: (snapshotId, block) => ebs.putSnapshotBlock(snapshotId, block),
    completeSnapshot: (snapshotId, written) => ebs.completeSnapshot(snapshotId, written),
    listChangedBlocks: (first, second) => ebs.listChangedBlocks(first, second),
    async *listSnapshotBlocks(snapshotId, options) {
      await credentials();
      for await (const page of ebs.listSnapshotBlocks(snapshotId, options)) {
        usage.list++;
        yield page;
      }
    },
    async getSnapshotBlock(snapshotId, block) {
      ebs.lastKey = (await credentials()).accessKeyId;
      usage.getSnapshotBlock++;
      const got = await ebs.getSnapshotBlock(snapshotId, block);
      signal.throwIfAborted();
      return got;
    },
    [Symbol.dispose]() {},
  };
}

/** Content of a block, the same for the same index. */
export function blockContent(blockIndex: number): Buffer {
  const random = seededRandom(blockIndex + 1);
  const data = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
  // A word in each sector is enough to tell blocks and places in them apart.
  for (let offset = 0; offset < data.length; offset += 512) data.writeUInt32LE(Math.floor(random() * 2 ** 32), offset);
  return data;
}

/** A fake with one snapshot of a GiB that has these blocks. */
export function ebsWith(blockIndexes: readonly number[]): FakeEbs {
  const ebs = new FakeEbs();
  ebs.add(SNAPSHOT, 1, Object.fromEntries(blockIndexes.map((index) => [index, blockContent(index)])));
  return ebs;
}

/** Reads one block as a builder's disk does. */
export async function readBlock(source: BlockSource, blockIndex: number): Promise<Buffer> {
  using client = await NbdClient.connect(source.socketPath, source.exportName);
  return await client.read(blockIndex * SNAPSHOT_BLOCK_BYTES, SNAPSHOT_BLOCK_BYTES);
}
