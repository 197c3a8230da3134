import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  type EC2Client,
  type Image,
} from "@aws-sdk/client-ec2";
import type { TestCloud } from "./test-cloud.ts";

export interface FoundImage {
  readonly imageId: string;
  readonly snapshotId: string;
  /** What a finished image must not be; empty if it is whole. */
  readonly faults: readonly string[];
}

/** Every image of the cloud but its base, and how whole it is. */
export async function findImages(cloud: TestCloud): Promise<FoundImage[]> {
  const { Images = [] } = await cloud.ec2.send(new DescribeImagesCommand({ Owners: ["self"] }));
  const ours = Images.filter(({ ImageId }) => ImageId !== cloud.baseImageId);
  return Promise.all(ours.map((image) => judgeImage(cloud, image)));
}

async function judgeImage(cloud: TestCloud, image: Image): Promise<FoundImage> {
  const snapshotId = image.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "";
  const filter = { Filters: [{ Name: "snapshot-id", Values: [snapshotId] }] };
  const { Snapshots = [] } = await cloud.ec2.send(new DescribeSnapshotsCommand(filter));
  const tags = [...(image.Tags ?? []), ...(Snapshots[0]?.Tags ?? [])];
  const faults = [
    ...(image.State === "available" ? [] : [`it is ${image.State}`]),
    ...(Snapshots[0]?.State === "completed" ? [] : [`its snapshot is ${Snapshots[0]?.State ?? "missing"}`]),
    ...(tags.some(({ Key }) => Key === "amibake:draft") ? ["it is tagged as a draft"] : []),
  ];
  return { imageId: image.ImageId ?? "", snapshotId, faults };
}

/** "the base image is damaged", unless it is as it was. */
export async function findBaseDamage(cloud: TestCloud): Promise<string[]> {
  const { Images = [] } = await cloud.ec2.send(new DescribeImagesCommand({ ImageIds: [cloud.baseImageId] }));
  const faults = Images[0] === undefined ? ["it is missing"] : (await judgeImage(cloud, Images[0])).faults;
  return faults.map((fault) => `the base image is damaged: ${fault}`);
}

/** What this host has noted of snapshots that no image has, or half of what it was noting. */
export async function findStrayManifests(cloud: TestCloud, stateDirectory: string): Promise<string[]> {
  const names = await readdir(join(stateDirectory, "manifests")).catch(() => []);
  if (names.length === 0) return [];
  const expected = (await findImages(cloud)).map(({ snapshotId }) => `${snapshotId}.manifest`);
  return names.filter((name) => !expected.includes(name)).map((name) => `manifest ${name}`);
}

/** The ids of the copies of base images, finished or not, and of their snapshots: they stay whatever becomes of a build. */
export async function findBaseCopies({ ec2 }: TestCloud): Promise<string[]> {
  const Filters = [{ Name: "tag-key", Values: ["amibake:copy-of"] }];
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"], Filters }));
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"], Filters }));
  return [...Images.map(({ ImageId = "" }) => ImageId), ...Snapshots.map(({ SnapshotId = "" }) => SnapshotId)];
}

/** Leaves the base image alone in the cloud, so that each trial begins as the first did. */
export async function dropAllButBase({ ec2, resources }: TestCloud): Promise<void> {
  const ids = await resources();
  const ofKind = (prefix: string) => ids.filter((id) => id.startsWith(prefix));
  for (const ImageId of ofKind("ami-")) await ec2.send(new DeregisterImageCommand({ ImageId }));
  for (const SnapshotId of ofKind("snap-")) await ec2.send(new DeleteSnapshotCommand({ SnapshotId }));
  for (const volumeId of ofKind("vol-")) await dropVolume(ec2, volumeId);
}

async function dropVolume(ec2: EC2Client, VolumeId: string): Promise<void> {
  for (;;) {
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }));
    if (Volumes[0]?.State === "available") break;
    // Refused while the volume is on its way.
    await ec2.send(new DetachVolumeCommand({ VolumeId })).catch(() => {});
    await delay(50);
  }
  await ec2.send(new DeleteVolumeCommand({ VolumeId }));
}
