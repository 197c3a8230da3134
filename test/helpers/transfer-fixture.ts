import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EbsApi } from "../../src/aws/ebs-api.ts";
import { createEbsApi } from "../../src/aws/ebs-sdk.ts";
import { createEc2Api } from "../../src/aws/ec2-sdk.ts";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import type { SnapshotId } from "../../src/base/ids.ts";
import { NEVER } from "../../src/base/never.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";
import { blocksOf, dataExtents } from "../../src/linux/files/sparse-file.ts";
import type { FaultRule } from "../../src/local-cloud/faults/fault-plan.ts";
import { downloadFile } from "../../src/snapshot-transfer/download-file.ts";
import { type ManifestStore, manifestStore } from "../../src/snapshot-transfer/manifest-store.ts";
import { type UploadEvent, type UploadFileOptions, uploadFile } from "../../src/snapshot-transfer/upload-file.ts";
import { openTestStorage, startEbsFixture } from "./ebs-fixture.ts";
import type { CloudFixture } from "./local-cloud-fixture.ts";
import { impatientClock } from "./scaled-clock.ts";

/** A local cloud with blocks in memory, and a disk to move to it and back. */
export interface TransferFixture extends AsyncDisposable {
  readonly fixture: CloudFixture;
  readonly ebs: EbsApi;
  readonly manifests: ManifestStore;
  readonly directory: string;
  /** The disk. */
  readonly path: string;
  /** What was put, by index, in the order in which it came. */
  readonly puts: number[];
  /** Of every call that was tried again. */
  readonly retries: string[];
  /** For a command that works on this cloud. */
  readonly environment: Readonly<Record<string, string>>;
  upload(changes?: Partial<UploadFileOptions>): Promise<SnapshotId>;
  download(snapshotId: SnapshotId, path: string): Promise<void>;
  strike(...rules: (Partial<FaultRule> & Pick<FaultRule, "fault">)[]): void;
}

/** @param blockCount how many blocks of the disk, which is sparse, have content. */
export async function startTransferFixture(blockCount: number): Promise<TransferFixture> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "amibake-transfer-"));
  undo.defer(() => rm(directory, { recursive: true }));
  const path = join(directory, "disk.raw");
  await writeSparseDisk(path, blockCount);
  const storage = undo.use(await openTestStorage("memory"));
  const puts: number[] = [];
  const putBlock = storage.putBlock.bind(storage);
  storage.putBlock = (snapshotId, block, data) => {
    puts.push(block.blockIndex);
    return putBlock(snapshotId, block, data);
  };
  const { fixture } = undo.use(await startEbsFixture({ storage }));
  const { url, region, credentials } = fixture.cloud;
  const retries: string[] = [];
  const settings = {
    region,
    endpoint: url,
    credentials: async () => credentials,
    signal: NEVER,
    clock: impatientClock,
    onRetry: (call: string, _attempt: number, reason: string) => retries.push(`${call}: ${reason}`),
  };
  const ebs = createEbsApi(settings);
  undo.defer(() => ebs[Symbol.dispose]());
  const ec2 = createEc2Api(settings);
  undo.defer(() => ec2[Symbol.dispose]());
  const environment = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AMIBAKE_STATE_DIR: join(directory, "state"),
  };
  const manifests = manifestStore(environment);
  const shared = { ebs, manifests, signal: NEVER, clock: impatientClock };
  const owned = undo.move();
  return {
    fixture,
    ebs,
    manifests,
    directory,
    path,
    puts,
    retries,
    environment,
    async upload(changes = {}) {
      const uploaded = await uploadFile({
        ...shared,
        path,
        plan: { description: "a disk", tags: {} },
        place: { accountId: fixture.cloud.accountId, region },
        ec2,
        stateDirectory: environment.AMIBAKE_STATE_DIR,
        emit: (_event: UploadEvent) => {},
        ...changes,
      });
      return uploaded.snapshotId;
    },
    async download(snapshotId, target) {
      await downloadFile({ ...shared, snapshotId, path: target, force: false, emit: () => {} });
    },
    strike(...rules) {
      const faults = rules.map((rule) => ({ actions: ["*"], ...rule }));
      fixture.cloud.faults({ seed: 3, faults });
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** A disk of 1 GiB less a bit, with data at odd places, from 100 bytes to 300 KiB each. */
export async function writeSparseDisk(path: string, blockCount: number): Promise<void> {
  await using file = await open(path, "w");
  await file.truncate(GIB - 12_345);
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  const stride = Math.floor(GIB / SNAPSHOT_BLOCK_BYTES / blockCount);
  for (let count = 0; count < blockCount; count++) {
    const length = count % 3 === 0 ? 100 : 300_000;
    const position = count * stride * SNAPSHOT_BLOCK_BYTES + ((count * 997) % 200_000);
    await file.write(cipher.update(Buffer.alloc(length)), 0, length, position);
  }
}

/** Asserts that a downloaded file is the disk, with zeros behind it up to whole GiB. */
export async function assertSameDisk(disk: string, downloaded: string): Promise<void> {
  await using expected = await open(disk, "r");
  await using actual = await open(downloaded, "r");
  const sizeBytes = (await actual.stat()).size;
  assert.equal(sizeBytes, Math.ceil((await expected.stat()).size / GIB) * GIB);
  // Where neither has data both are zero: reading a GiB of holes takes seconds.
  const extents = [...(await dataExtents(expected)), ...(await dataExtents(actual))];
  const blocks = new Set(extents.flatMap((extent) => blocksOf([extent], SNAPSHOT_BLOCK_BYTES)));
  const [one, other] = [Buffer.alloc(SNAPSHOT_BLOCK_BYTES), Buffer.alloc(SNAPSHOT_BLOCK_BYTES)];
  for (const blockIndex of blocks) {
    const position = blockIndex * SNAPSHOT_BLOCK_BYTES;
    const { bytesRead } = await expected.read(one, 0, one.length, position);
    one.fill(0, bytesRead);
    await actual.read(other, 0, other.length, position);
    assert.ok(one.equals(other), `they differ in block ${blockIndex}`);
  }
}
