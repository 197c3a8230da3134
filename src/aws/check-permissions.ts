// Imports the SDK: load it with `await import()`.
import {
  AttachVolumeCommand,
  CopyImageCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import type { AwsError } from "./aws-error.ts";
import { askForEach, type CheckPermissionsOptions, type PermissionCheck, type Verdict } from "./permission-check.ts";

// Well-formed and, all but surely, nobody's. EC2 judges the permission before it looks for the resource.
const VOLUME = "vol-00000000000000000";
const SNAPSHOT = "snap-00000000000000000";
const IMAGE = "ami-00000000000000000";
const INSTANCE = "i-00000000000000000";

/** What only a volume that is attached needs. */
const OF_VOLUMES = new Set([
  ...["DescribeInstances", "DescribeVolumes", "CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume"],
  "CreateSnapshot",
]);

/** Asks EC2 with DryRun for each action that a build can use. Nothing is made or changed. */
export async function checkPermissions(
  options: CheckPermissionsOptions & { readonly availabilityZone: string },
): Promise<PermissionCheck[]> {
  const { region, credentials, endpoint, availabilityZone } = options;
  const client = new EC2Client({
    region,
    credentials,
    maxAttempts: 3,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const DryRun = true;
  const calls: Parameters<typeof askForEach>[0] = {
    DescribeImages: (send) => client.send(new DescribeImagesCommand({ DryRun, Owners: ["self"] }), send),
    DescribeImageAttribute: (send) =>
      client.send(new DescribeImageAttributeCommand({ DryRun, ImageId: IMAGE, Attribute: "uefiData" }), send),
    DescribeInstances: (send) => client.send(new DescribeInstancesCommand({ DryRun }), send),
    DescribeVolumes: (send) => client.send(new DescribeVolumesCommand({ DryRun }), send),
    DescribeSnapshots: (send) => client.send(new DescribeSnapshotsCommand({ DryRun, OwnerIds: ["self"] }), send),
    CreateVolume: (send) =>
      client.send(new CreateVolumeCommand({ DryRun, AvailabilityZone: availabilityZone, Size: 1 }), send),
    AttachVolume: (send) =>
      client.send(
        new AttachVolumeCommand({ DryRun, VolumeId: VOLUME, InstanceId: INSTANCE, Device: "/dev/sdf" }),
        send,
      ),
    DetachVolume: (send) => client.send(new DetachVolumeCommand({ DryRun, VolumeId: VOLUME }), send),
    DeleteVolume: (send) => client.send(new DeleteVolumeCommand({ DryRun, VolumeId: VOLUME }), send),
    CreateSnapshot: (send) => client.send(new CreateSnapshotCommand({ DryRun, VolumeId: VOLUME }), send),
    DeleteSnapshot: (send) => client.send(new DeleteSnapshotCommand({ DryRun, SnapshotId: SNAPSHOT }), send),
    // Of somebody else's image, which amazon-direct cannot build on.
    CopyImage: (send) =>
      client.send(
        new CopyImageCommand({ DryRun, Name: DRY_IMAGE.Name, SourceImageId: IMAGE, SourceRegion: region }),
        send,
      ),
    RegisterImage: (send) => client.send(new RegisterImageCommand({ DryRun, ...DRY_IMAGE }), send),
    DeregisterImage: (send) => client.send(new DeregisterImageCommand({ DryRun, ImageId: IMAGE }), send),
    ModifyImageAttribute: (send) =>
      client.send(new ModifyImageAttributeCommand({ DryRun, ImageId: IMAGE, Description: { Value: "" } }), send),
    CreateTags: (send) =>
      client.send(new CreateTagsCommand({ DryRun, Resources: [SNAPSHOT], Tags: [{ Key: "Name", Value: "" }] }), send),
    DeleteTags: (send) =>
      client.send(new DeleteTagsCommand({ DryRun, Resources: [SNAPSHOT], Tags: [{ Key: "Name" }] }), send),
  };
  try {
    const verdicts = await askForEach(calls, { ...options, service: "EC2", judge });
    return [...verdicts].map(([action, verdict]) => ({
      action: `ec2:${action}`,
      builders: buildersOf(action),
      ...verdict,
    }));
  } finally {
    client.destroy();
  }
}

function buildersOf(action: string): PermissionCheck["builders"] {
  if (OF_VOLUMES.has(action)) return ["amazon-chroot"];
  return action === "CopyImage" ? ["amazon-direct"] : ["amazon-chroot", "amazon-direct"];
}

const DRY_IMAGE = {
  Name: "amibake-permission-check",
  RootDeviceName: "/dev/xvda",
  BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: SNAPSHOT } }],
};

function judge({ awsCode, message }: AwsError): Verdict {
  if (awsCode === "DryRunOperation") return { verdict: "allowed", detail: "" };
  if (awsCode === "UnauthorizedOperation") return { verdict: "refused", detail: message };
  return { verdict: "unknown", detail: message };
}
