import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompleteSnapshotCommand,
  type EBSClient,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
  type StartSnapshotRequest,
} from "@aws-sdk/client-ebs";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";
import type { LocalCloudOptions } from "../../src/local-cloud/server.ts";
import type { DiskStorage } from "../../src/local-cloud/storage/disk-storage.ts";
import { type BlockPlace, openDiskStorage } from "../../src/local-cloud/storage/open-disk-storage.ts";
import { type CloudFixture, startCloudFixture } from "./local-cloud-fixture.ts";

/** The texts that blocks are filled with, by index; "" stands for zeros. */
export type Blocks = Readonly<Record<number, string>>;

/** A local cloud whose snapshots have content. */
export interface EbsFixture extends AsyncDisposable {
  readonly fixture: CloudFixture;
  readonly ebs: EBSClient;
}

/** @param options of the cloud; blocks are in memory unless they say otherwise. */
export async function startEbsFixture({
  blocks = "memory",
  ...options
}: Partial<LocalCloudOptions> & { readonly blocks?: BlockPlace } = {}): Promise<EbsFixture> {
  await using undo = new AsyncDisposableStack();
  const storage = undo.use(await openTestStorage(blocks));
  const fixture = undo.use(await startCloudFixture({ storage, ...options }));
  const owned = undo.move();
  return { fixture, ebs: fixture.ebs(), [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** Disks with bytes. Needs no root as long as nothing is attached. */
export async function openTestStorage(blocks: BlockPlace): Promise<DiskStorage> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-ebs-"));
  const places = { storeDirectory: directory, deviceDirectory: directory, nitro: false, blocks };
  const storage = await openDiskStorage(places);
  const dispose = storage[Symbol.asyncDispose].bind(storage);
  return Object.assign(storage, {
    async [Symbol.asyncDispose]() {
      await dispose();
      await rm(directory, { recursive: true });
    },
  });
}

/** A block that is filled with a text; zeros for "". */
export function blockOf(text: string): Buffer {
  return text === "" ? Buffer.alloc(SNAPSHOT_BLOCK_BYTES) : Buffer.alloc(SNAPSHOT_BLOCK_BYTES, `${text}\n`);
}

/** The text that a block is filled with. */
export function textOf(block: Buffer): string {
  const text = block[0] === 0 ? "" : block.subarray(0, block.indexOf("\n")).toString();
  assert.ok(block.equals(blockOf(text)), `a block that begins with "${text}" is not filled with it`);
  return text;
}

export function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

export async function startSnapshot(ebs: EBSClient, request: Partial<StartSnapshotRequest> = {}): Promise<string> {
  return (await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...request }))).SnapshotId ?? "";
}

export function putInput(SnapshotId: string, BlockIndex: number, BlockData: Buffer) {
  const Checksum = sha256(BlockData).toString("base64");
  const DataLength = SNAPSHOT_BLOCK_BYTES;
  return { SnapshotId, BlockIndex, BlockData, DataLength, Checksum, ChecksumAlgorithm: "SHA256" as const };
}

export async function putBlocks(ebs: EBSClient, id: string, blocks: Blocks): Promise<void> {
  const puts = Object.entries(blocks).map(([index, data]) =>
    ebs.send(new PutSnapshotBlockCommand(putInput(id, Number(index), blockOf(data)))),
  );
  await Promise.all(puts);
}

/** What CompleteSnapshot says of these blocks, with their aggregate checksum. */
export function completeInput(SnapshotId: string, blocks: Blocks) {
  // The entries of an object with numbers as its keys come in ascending order.
  const digests = Object.values(blocks).map((text) => sha256(blockOf(text)));
  return {
    SnapshotId,
    ChangedBlocksCount: digests.length,
    Checksum: sha256(Buffer.concat(digests)).toString("base64"),
    ChecksumAlgorithm: "SHA256" as const,
    ChecksumAggregationMethod: "LINEAR" as const,
  };
}

/** Writes a snapshot from its start to its completion. */
export async function writeSnapshot(
  ebs: EBSClient,
  blocks: Blocks,
  request: Partial<StartSnapshotRequest> = {},
): Promise<string> {
  const id = await startSnapshot(ebs, request);
  await putBlocks(ebs, id, blocks);
  await ebs.send(new CompleteSnapshotCommand(completeInput(id, blocks)));
  return id;
}

export async function getBlock(ebs: EBSClient, id: string, index: number, token = ""): Promise<Buffer> {
  const input = { SnapshotId: id, BlockIndex: index, BlockToken: token };
  const { BlockData } = await ebs.send(new GetSnapshotBlockCommand(input));
  return Buffer.from((await BlockData?.transformToByteArray()) ?? []);
}

/** All that a snapshot lists. */
export async function readSnapshot(ebs: EBSClient, id: string): Promise<Blocks> {
  const { Blocks: listed = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id, MaxResults: 10_000 }));
  const entries = listed.map(async ({ BlockIndex = -1, BlockToken }) => {
    return [BlockIndex, textOf(await getBlock(ebs, id, BlockIndex, BlockToken))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
