// What a cloud and its store hold, as plain data that can be compared.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  GetEbsEncryptionByDefaultCommand,
  type Tag,
} from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { SNAPSHOT_BLOCK_BYTES } from "../../../src/base/units.ts";
import { ZERO_BLOCK_HASH } from "../../../src/base/zero-block.ts";
import { decodePending } from "../../../src/local-cloud/storage/pending-snapshot.ts";
import { decodeManifest, type ManifestBlock } from "../../../src/local-cloud/storage/snapshot-manifest.ts";
import type { KilledDaemon } from "./daemon.ts";

/** One resource, or one setting. `UNKNOWN` stands for what only a look can tell. */
export type Fields = Readonly<Record<string, unknown>>;

/** By id. A credential has its access key id, the encryption of a region the region's name. */
export type View = Readonly<Record<string, Fields>>;

/** Changes of a view; undefined removes. */
export type Patch = Readonly<Record<string, Fields | undefined>>;

export const UNKNOWN = "(unknown)";

export const ENCRYPTED_REGION = "eu-west-1";

/** The part of a volume that is written and compared; the rest has to stay empty. */
export const CONTENT_BLOCKS = 32;

export function patched(view: View, patch: Patch): View {
  const entries = Object.entries({ ...view, ...patch }).filter(([, fields]) => fields !== undefined);
  return Object.fromEntries(entries) as View;
}

export function idsOf(view: View, kind: string): string[] {
  return Object.keys(view).filter((id) => view[id]?.["kind"] === kind);
}

/** Everything the cloud shows, with the content of its disks. Credentials are those that `known` has. */
export async function observe(daemon: KilledDaemon, known: View): Promise<View> {
  const parts = await Promise.all([volumes(daemon), snapshots(daemon), images(daemon), credentials(daemon, known)]);
  const encryption = await daemon.ec2Of(ENCRYPTED_REGION).send(new GetEbsEncryptionByDefaultCommand({}));
  const settings = { kind: "settings", encryptByDefault: encryption.EbsEncryptionByDefault };
  return Object.assign({ [ENCRYPTED_REGION]: settings }, ...parts);
}

async function volumes({ ec2, storeDirectory }: KilledDaemon): Promise<View> {
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}));
  const entries = Volumes.map(async (volume) => {
    const path = join(storeDirectory, "volumes", `${volume.VolumeId}.disk`);
    const [attachment] = volume.Attachments ?? [];
    const fields = {
      kind: "volume",
      state: volume.State,
      sizeGib: volume.Size,
      source: volume.SnapshotId || undefined,
      tags: tagsOf(volume.Tags),
      device: attachment?.Device,
      attachment: attachment?.State,
      content: await contentOfFile(path),
    };
    return [volume.VolumeId, fields] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function snapshots({ ec2, storeDirectory }: KilledDaemon): Promise<View> {
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  const entries = Snapshots.map(async ({ SnapshotId = "", State, VolumeSize, Description = "", Tags }) => {
    // One that is written block by block, as nothing else is pending without latency.
    if (State === "pending") {
      const upload = { kind: "upload", sizeGib: VolumeSize, description: Description, tags: tagsOf(Tags) };
      return [SnapshotId, { ...upload, ...(await contentOfUpload(storeDirectory, SnapshotId)) }] as const;
    }
    const attribute = new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: "createVolumePermission" });
    const { CreateVolumePermissions = [] } = await ec2.send(attribute);
    const fields = {
      kind: "snapshot",
      state: State,
      sizeGib: VolumeSize,
      description: Description,
      tags: tagsOf(Tags),
      sharedWith: CreateVolumePermissions.map(({ UserId }) => UserId),
      content: await contentOfSnapshot(storeDirectory, SnapshotId),
    };
    return [SnapshotId, fields] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function images({ ec2 }: KilledDaemon): Promise<View> {
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"] }));
  const entries = Images.map(async ({ ImageId = "", ...image }) => {
    const attribute = new DescribeImageAttributeCommand({ ImageId, Attribute: "launchPermission" });
    const { LaunchPermissions = [] } = await ec2.send(attribute);
    const fields = {
      kind: "image",
      state: image.State,
      name: image.Name,
      description: image.Description,
      tags: tagsOf(image.Tags),
      snapshot: image.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId,
      sharedWith: LaunchPermissions.map(({ UserId }) => UserId),
      deprecation: image.DeprecationTime,
      protection: image.DeregistrationProtection,
    };
    return [ImageId, fields] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Credentials work, or they are not there. */
async function credentials(daemon: KilledDaemon, known: View): Promise<View> {
  const entries = idsOf(known, "credentials").map(async (accessKeyId) => {
    const fields = known[accessKeyId] ?? {};
    const { secretAccessKey, sessionToken } = fields as { secretAccessKey: string; sessionToken: string };
    const sts = daemon.stsOf({ accessKeyId, secretAccessKey, sessionToken });
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    return [accessKeyId, { ...fields, arn: Arn }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function tagsOf(tags: readonly Tag[] = []): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** The SHA-256 of each block, "3:ab12… 7:…". */
function contentText(blocks: readonly (readonly [number, string])[]): string {
  return blocks.map(([index, hash]) => `${index}:${hash}`).join(" ");
}

/** The blocks of a content, without or with those that were put on top of it. */
export function blocksOfContent(...contents: readonly unknown[]): Map<number, string> {
  const blocks = contents.flatMap((content) =>
    String(content)
      .split(" ")
      .filter(Boolean)
      .map((text) => text.split(":") as [string, string]),
  );
  return new Map(blocks.map(([index, hash]) => [Number(index), hash]));
}

/** @param blocks those of zeros are left out, as in every content. */
export function contentOfBlocks(blocks: ReadonlyMap<number, string>): string {
  return contentText([...blocks].filter(([, hash]) => hash !== ZERO_BLOCK_HASH).sort(([a], [b]) => a - b));
}

/** What was put so far, zeros included. */
export function contentOfPuts(blocks: ReadonlyMap<number, string>): string {
  return contentText([...blocks].sort(([a], [b]) => a - b));
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The content of a sparse file, of which only the first part may hold anything. */
export async function contentOfFile(path: string): Promise<string> {
  await using file = await open(path, "r");
  const data = Buffer.alloc(CONTENT_BLOCKS * SNAPSHOT_BLOCK_BYTES);
  await file.read(data, 0, data.length, 0);
  const blocks: [number, string][] = [];
  for (let index = 0; index < CONTENT_BLOCKS; index++) {
    const block = data.subarray(index * SNAPSHOT_BLOCK_BYTES, (index + 1) * SNAPSHOT_BLOCK_BYTES);
    if (block.some((byte) => byte !== 0)) blocks.push([index, sha256(block)]);
  }
  return contentText(blocks);
}

/** The content of a snapshot. Each of its blocks is read, and has the hash that it is named after. */
async function contentOfSnapshot(storeDirectory: string, snapshotId: string): Promise<string> {
  const path = join(storeDirectory, "snapshots", `${snapshotId}.manifest`);
  const { blocks } = decodeManifest(await readFile(path), path);
  await assertBlocks(storeDirectory, snapshotId, blocks);
  return contentOfBlocks(new Map(blocks.map(({ blockIndex, hash }) => [blockIndex, hash])));
}

/** What a snapshot that is being written starts from, and what was put on top. */
async function contentOfUpload(storeDirectory: string, snapshotId: string): Promise<Fields> {
  const path = join(storeDirectory, "snapshots", `${snapshotId}.pending`);
  const { base, puts } = decodePending(await readFile(path), path);
  const put = [...puts].map(([blockIndex, hash]) => ({ blockIndex, hash }));
  await assertBlocks(storeDirectory, snapshotId, [...base.blocks, ...put]);
  const before = new Map(base.blocks.map(({ blockIndex, hash }) => [blockIndex, hash]));
  return { base: contentOfBlocks(before), puts: contentOfPuts(puts) };
}

async function assertBlocks(
  storeDirectory: string,
  snapshotId: string,
  blocks: readonly ManifestBlock[],
): Promise<void> {
  for (const { hash } of blocks) {
    if (hash === ZERO_BLOCK_HASH) continue;
    const data = await readFile(join(storeDirectory, "blocks", hash.slice(0, 2), hash.slice(2)));
    assert.equal(data.length, SNAPSHOT_BLOCK_BYTES);
    assert.equal(sha256(data), hash, `a block of ${snapshotId} is damaged`);
  }
}
