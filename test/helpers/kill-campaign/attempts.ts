// One call of each action that changes something, on resources of the view, and what is to come of it.
import { randomBytes } from "node:crypto";
import {
  AttachVolumeCommand,
  CopyImageCommand,
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DetachVolumeCommand,
  DisableEbsEncryptionByDefaultCommand,
  DisableImageDeprecationCommand,
  DisableImageDeregistrationProtectionCommand,
  EnableEbsEncryptionByDefaultCommand,
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  RegisterImageCommand,
  ResetImageAttributeCommand,
  ResetSnapshotAttributeCommand,
} from "@aws-sdk/client-ec2";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { askDaemon } from "../../../src/local-cloud/daemon/control-client.ts";
import type { RequestName, Requests } from "../../../src/local-cloud/daemon/control-protocol.ts";
import {
  change,
  found,
  free,
  isAttached,
  isComparable,
  isDetached,
  isUnused,
  madeBy,
  newImage,
  newSnapshot,
  type Plan,
  pick,
  specification,
  tagsOf,
  type World,
} from "./attempt.ts";
import type { KilledDaemon } from "./daemon.ts";
import { UPLOAD_PLANS } from "./upload-attempts.ts";
import { ENCRYPTED_REGION, type Fields, idsOf, UNKNOWN } from "./view.ts";

const createVolume: Plan = (world) => {
  const { random, number, view } = world;
  const source = random() < 0.6 ? pick(world, free(world, "snapshot", isComparable)) : undefined;
  const input = {
    AvailabilityZone: "us-east-1a",
    Size: 1,
    ClientToken: `token ${number}`,
    TagSpecifications: specification(world, "volume"),
    ...(source === undefined ? {} : { SnapshotId: source }),
  };
  const content = source === undefined ? "" : view[source]?.["content"];
  const made = { kind: "volume", state: "available", sizeGib: 1, source, tags: tagsOf(world), content };
  return {
    uses: source === undefined ? [] : [source],
    isRepeatable: true,
    run: async ({ ec2 }) => ({ id: (await ec2.send(new CreateVolumeCommand(input))).VolumeId ?? "" }),
    steps: ({ id = "" }) => [{ [id]: { ...made, device: undefined, attachment: undefined } }],
    find: (observed) => found(madeBy(world, observed, "volume")),
  };
};

const attachVolume: Plan = (world) => {
  const { view, devices, taken } = world;
  const names = new Set(idsOf(view, "volume").map((id) => view[id]?.["device"]));
  const Device = pick(
    world,
    devices.filter((name) => !names.has(name) && !taken.has(name)),
  );
  if (Device === undefined) return undefined;
  const attempt = change(
    world,
    pick(world, free(world, "volume", isDetached)),
    ({ ec2, instanceId }, VolumeId) => ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: instanceId, Device })),
    { state: "in-use", device: Device, attachment: "attached" },
  );
  return attempt === undefined ? undefined : { ...attempt, uses: [...attempt.uses, Device] };
};

const createSnapshot: Plan = (world) => {
  const VolumeId = pick(world, free(world, "volume"));
  if (VolumeId === undefined) return undefined;
  const input = { VolumeId, Description: "of a volume", TagSpecifications: specification(world, "snapshot") };
  const made = newSnapshot(world, world.view[VolumeId], { description: "of a volume" });
  return {
    uses: [VolumeId],
    run: async ({ ec2 }) => ({ id: (await ec2.send(new CreateSnapshotCommand(input))).SnapshotId ?? "" }),
    steps: ({ id = "" }) => [{ [id]: made }],
    find: (observed) => found(madeBy(world, observed, "snapshot")),
  };
};

const copySnapshot: Plan = (world) => {
  const SourceSnapshotId = pick(world, free(world, "snapshot"));
  if (SourceSnapshotId === undefined) return undefined;
  const TagSpecifications = specification(world, "snapshot");
  const input = { SourceRegion: "us-east-1", SourceSnapshotId, TagSpecifications };
  const made = newSnapshot(world, world.view[SourceSnapshotId]);
  return {
    uses: [SourceSnapshotId],
    run: async ({ ec2 }) => ({ id: (await ec2.send(new CopySnapshotCommand(input))).SnapshotId ?? "" }),
    steps: ({ id = "" }) => [{ [id]: made }],
    find: (observed) => found(madeBy(world, observed, "snapshot")),
  };
};

const registerImage: Plan = (world) => {
  const SnapshotId = pick(world, free(world, "snapshot"));
  if (SnapshotId === undefined) return undefined;
  const name = `registered ${world.number}`;
  const input = {
    Name: name,
    RootDeviceName: "/dev/xvda",
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId } }],
    TagSpecifications: specification(world, "image"),
  };
  return {
    uses: [SnapshotId],
    run: async ({ ec2 }) => ({ id: (await ec2.send(new RegisterImageCommand(input))).ImageId ?? "" }),
    steps: ({ id = "" }) => [{ [id]: newImage({ name, tags: tagsOf(world), snapshot: SnapshotId }) }],
    find: (observed) => found(madeBy(world, observed, "image")),
  };
};

const copyImage: Plan = (world) => {
  const { view, number, taken } = world;
  const SourceImageId = pick(
    world,
    free(world, "image", ({ snapshot }) => !taken.has(String(snapshot))),
  );
  if (SourceImageId === undefined) return undefined;
  const source = String(view[SourceImageId]?.["snapshot"]);
  const name = `copy ${number}`;
  const input = {
    Name: name,
    SourceRegion: "us-east-1",
    SourceImageId,
    ClientToken: `token ${number}`,
    TagSpecifications: specification(world, "image", "snapshot"),
  };
  const description = `Copied for DestinationAmi ${name} from SourceAmi ${SourceImageId}`;
  return {
    uses: [SourceImageId, source],
    isRepeatable: true,
    run: async ({ ec2 }) => ({ id: (await ec2.send(new CopyImageCommand(input))).ImageId ?? "" }),
    steps: ({ id = "" }, observed) => {
      const snapshot = madeBy(world, observed, "snapshot") ?? "(its snapshot)";
      const image = newImage({ name, tags: tagsOf(world), snapshot });
      return [{ [id]: image, [snapshot]: newSnapshot(world, view[source], { description }) }];
    },
    find: (observed) => found(madeBy(world, observed, "image")),
  };
};

const deregisterImage: Plan = (world) => {
  const { view, random, taken } = world;
  const id = pick(
    world,
    free(world, "image", ({ protection, snapshot }) => protection === "disabled" && !taken.has(String(snapshot))),
  );
  if (id === undefined) return undefined;
  const snapshot = String(view[id]?.["snapshot"]);
  const isShared = idsOf(view, "image").some((other) => other !== id && view[other]?.["snapshot"] === snapshot);
  const isWithSnapshots = random() < 0.5 && !isShared;
  const input = { ImageId: id, DeleteAssociatedSnapshots: isWithSnapshots };
  return {
    uses: [id, snapshot],
    run: async ({ ec2 }) => {
      await ec2.send(new DeregisterImageCommand(input));
      return {};
    },
    steps: () => [{ [id]: undefined }, ...(isWithSnapshots ? [{ [snapshot]: undefined }] : [])],
  };
};

/** Several resources at once: all of them or none. */
const createTags: Plan = (world) => {
  const { view } = world;
  const ids = ["volume", "snapshot", "image"].flatMap((kind) => pick(world, free(world, kind)) ?? []);
  if (ids.length === 0) return undefined;
  const added = tagsOf(world, `tag ${world.number % 5}`);
  const Tags = Object.entries(added).map(([Key, Value]) => ({ Key, Value }));
  const entries = ids.map((id) => [id, { ...view[id], tags: { ...(view[id]?.["tags"] as object), ...added } }]);
  return {
    uses: ids,
    run: async ({ ec2 }) => {
      await ec2.send(new CreateTagsCommand({ Resources: ids, Tags }));
      return {};
    },
    steps: () => [Object.fromEntries(entries)],
  };
};

const deleteTags: Plan = (world) => {
  const id = pick(world, [...free(world, "volume"), ...free(world, "snapshot"), ...free(world, "image")]);
  const run = ({ ec2 }: KilledDaemon, resource: string) => ec2.send(new DeleteTagsCommand({ Resources: [resource] }));
  return change(world, id, run, { tags: {} });
};

const changeImage =
  (
    run: (daemon: KilledDaemon, ImageId: string, world: World) => Promise<unknown>,
    changed: (world: World) => Fields,
  ): Plan =>
  (world) =>
    change(world, pick(world, free(world, "image")), (daemon, id) => run(daemon, id, world), changed(world));

const changeSnapshot =
  (run: (daemon: KilledDaemon, SnapshotId: string) => Promise<unknown>, changed: Fields): Plan =>
  (world) =>
    change(world, pick(world, free(world, "snapshot")), run, changed);

const changeEncryption =
  (run: (daemon: KilledDaemon) => Promise<unknown>, encryptByDefault: boolean): Plan =>
  (world) =>
    change(world, free(world, "settings")[0], run, { encryptByDefault });

const ACCOUNT = "111122223333";
const SHARE = { LaunchPermission: { Add: [{ UserId: ACCOUNT }] } };
const describe = (number: number) => ({ Description: { Value: `changed ${number}` } });
const DEPRECATION = "2031-01-02T03:04:00.000Z";

/** Each id is of an attempt of its own, so that what is found of one is never another's. */
const assumeRole: Plan = ({ number }) => ({
  uses: [],
  run: async (daemon) => {
    const input = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/r`, RoleSessionName: `s${number}` };
    const { Credentials, AssumedRoleUser } = await daemon.stsOf().send(new AssumeRoleCommand(input));
    const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = Credentials ?? {};
    const arn = AssumedRoleUser?.Arn ?? "";
    return { id: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, arn };
  },
  steps: ({ id = "", ...rest }) => [{ [id]: { kind: "credentials", ...rest } }],
  // Nobody can see credentials that nobody was given.
  find: () => undefined,
});

/** What goes over the control socket. @throws if the daemon ended before it had answered. */
async function ask<Name extends RequestName>(
  { storeDirectory }: KilledDaemon,
  request: Name,
  parameters: Requests[Name]["parameters"],
): Promise<Requests[Name]["result"]> {
  await using answer = await askDaemon(storeDirectory, request, parameters);
  if (answer === undefined) throw new Unanswered();
  return answer.result;
}

export class Unanswered extends Error {}

const importFile =
  (kind: "disk" | "tarball"): Plan =>
  (world) => {
    const { files, number } = world;
    const name = `imported ${kind} ${number}`;
    const source = { content: kind === "disk" ? files.diskContent : UNKNOWN, sizeGib: kind === "disk" ? 1 : UNKNOWN };
    return {
      uses: [],
      run: async (daemon) => {
        const request = { path: files[kind], name, architecture: "x86_64" as const };
        const { imageId, snapshotId } = await ask(daemon, "import", request);
        return { imageId, snapshotId };
      },
      steps: ({ imageId = "", snapshotId = "" }) => [
        {
          [imageId]: newImage({ name, tags: {}, snapshot: snapshotId }),
          [snapshotId]: newSnapshot(world, source, { tags: {} }),
        },
      ],
      find: (observed) => {
        const imageId = idsOf(observed, "image").find((id) => observed[id]?.["name"] === name);
        return imageId === undefined ? undefined : { imageId, snapshotId: String(observed[imageId]?.["snapshot"]) };
      },
    };
  };

const exportImage: Plan = (world) => {
  const imageId = pick(world, free(world, "image"));
  if (imageId === undefined) return undefined;
  const path = `${world.exportDirectory}/${world.number}-${randomBytes(4).toString("hex")}`;
  const request = { image: imageId, path, format: world.random() < 0.5 ? "raw" : "qcow2", force: false } as const;
  return {
    uses: [imageId],
    run: async (daemon) => {
      await ask(daemon, "export", request);
      return {};
    },
    steps: () => [],
    exported: { path, imageId },
  };
};

/** Every action that changes something, by its name. */
export const PLANS: Readonly<Record<string, Plan>> = {
  AssumeRole: assumeRole,
  AttachVolume: attachVolume,
  CopyImage: copyImage,
  CopySnapshot: copySnapshot,
  CreateSnapshot: createSnapshot,
  CreateTags: createTags,
  CreateVolume: createVolume,
  DeleteSnapshot: (world) =>
    change(
      world,
      pick(world, free(world, "snapshot", isUnused(world))),
      ({ ec2 }, SnapshotId) => ec2.send(new DeleteSnapshotCommand({ SnapshotId })),
      undefined,
    ),
  DeleteTags: deleteTags,
  DeleteVolume: (world) =>
    change(
      world,
      pick(world, free(world, "volume", isDetached)),
      ({ ec2 }, VolumeId) => ec2.send(new DeleteVolumeCommand({ VolumeId })),
      undefined,
    ),
  DeregisterImage: deregisterImage,
  DetachVolume: (world) =>
    change(
      world,
      pick(world, free(world, "volume", isAttached)),
      ({ ec2 }, VolumeId) => ec2.send(new DetachVolumeCommand({ VolumeId })),
      { state: "available", device: undefined, attachment: undefined },
    ),
  DisableEbsEncryptionByDefault: changeEncryption(
    (daemon) => daemon.ec2Of(ENCRYPTED_REGION).send(new DisableEbsEncryptionByDefaultCommand({})),
    false,
  ),
  DisableImageDeprecation: changeImage(
    ({ ec2 }, ImageId) => ec2.send(new DisableImageDeprecationCommand({ ImageId })),
    () => ({ deprecation: undefined }),
  ),
  DisableImageDeregistrationProtection: changeImage(
    ({ ec2 }, ImageId) => ec2.send(new DisableImageDeregistrationProtectionCommand({ ImageId })),
    () => ({ protection: "disabled" }),
  ),
  EnableEbsEncryptionByDefault: changeEncryption(
    (daemon) => daemon.ec2Of(ENCRYPTED_REGION).send(new EnableEbsEncryptionByDefaultCommand({})),
    true,
  ),
  EnableImageDeprecation: changeImage(
    ({ ec2 }, ImageId) => ec2.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt: new Date(DEPRECATION) })),
    () => ({ deprecation: DEPRECATION }),
  ),
  EnableImageDeregistrationProtection: changeImage(
    ({ ec2 }, ImageId) => ec2.send(new EnableImageDeregistrationProtectionCommand({ ImageId })),
    () => ({ protection: "enabled-without-cooldown" }),
  ),
  ModifyImageAttribute: changeImage(
    ({ ec2 }, ImageId, { number }) =>
      ec2.send(new ModifyImageAttributeCommand({ ImageId, ...(number % 2 === 0 ? describe(number) : SHARE) })),
    ({ number }) =>
      number % 2 === 0 ? { description: describe(number).Description.Value } : { sharedWith: [ACCOUNT] },
  ),
  ModifySnapshotAttribute: changeSnapshot(
    ({ ec2 }, SnapshotId) =>
      ec2.send(
        new ModifySnapshotAttributeCommand({
          SnapshotId,
          CreateVolumePermission: { Add: [{ UserId: ACCOUNT }] },
        }),
      ),
    { sharedWith: [ACCOUNT] },
  ),
  RegisterImage: registerImage,
  ResetImageAttribute: changeImage(
    ({ ec2 }, ImageId) => ec2.send(new ResetImageAttributeCommand({ ImageId, Attribute: "launchPermission" })),
    () => ({ sharedWith: [] }),
  ),
  ResetSnapshotAttribute: changeSnapshot(
    ({ ec2 }, SnapshotId) =>
      ec2.send(new ResetSnapshotAttributeCommand({ SnapshotId, Attribute: "createVolumePermission" })),
    { sharedWith: [] },
  ),
  ...UPLOAD_PLANS,
  export: exportImage,
  "import a disk": importFile("disk"),
  "import a tarball": importFile("tarball"),
};
