// Imports the SDK: load it with `await import()`.
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
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
import { awsErrorFrom } from "./aws-error.ts";
import type { Credentials } from "./credentials.ts";

export interface PermissionCheck {
  /** "ec2:CreateVolume" */
  readonly action: string;
  /** "unknown": EC2 answered with something that is neither a yes nor a no, named in `detail`. */
  readonly verdict: "allowed" | "refused" | "unknown";
  readonly detail: string;
}

// Well-formed and, all but surely, nobody's. EC2 judges the permission before it looks for the resource.
const VOLUME = "vol-00000000000000000";
const SNAPSHOT = "snap-00000000000000000";
const IMAGE = "ami-00000000000000000";
const INSTANCE = "i-00000000000000000";

/** Asks EC2 with DryRun for each action that amazon-chroot can use. Nothing is made or changed. */
export async function checkPermissions(options: {
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
  readonly endpoint: string | undefined;
  readonly availabilityZone: string;
  readonly signal: AbortSignal;
}): Promise<PermissionCheck[]> {
  const { region, credentials, endpoint, availabilityZone, signal } = options;
  const client = new EC2Client({
    region,
    credentials,
    maxAttempts: 3,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const send = { abortSignal: signal };
  const DryRun = true;
  const calls: Record<string, () => Promise<unknown>> = {
    DescribeImages: () => client.send(new DescribeImagesCommand({ DryRun, Owners: ["self"] }), send),
    DescribeImageAttribute: () =>
      client.send(new DescribeImageAttributeCommand({ DryRun, ImageId: IMAGE, Attribute: "uefiData" }), send),
    DescribeInstances: () => client.send(new DescribeInstancesCommand({ DryRun }), send),
    DescribeVolumes: () => client.send(new DescribeVolumesCommand({ DryRun }), send),
    DescribeSnapshots: () => client.send(new DescribeSnapshotsCommand({ DryRun, OwnerIds: ["self"] }), send),
    CreateVolume: () =>
      client.send(new CreateVolumeCommand({ DryRun, AvailabilityZone: availabilityZone, Size: 1 }), send),
    AttachVolume: () =>
      client.send(
        new AttachVolumeCommand({ DryRun, VolumeId: VOLUME, InstanceId: INSTANCE, Device: "/dev/sdf" }),
        send,
      ),
    DetachVolume: () => client.send(new DetachVolumeCommand({ DryRun, VolumeId: VOLUME }), send),
    DeleteVolume: () => client.send(new DeleteVolumeCommand({ DryRun, VolumeId: VOLUME }), send),
    CreateSnapshot: () => client.send(new CreateSnapshotCommand({ DryRun, VolumeId: VOLUME }), send),
    DeleteSnapshot: () => client.send(new DeleteSnapshotCommand({ DryRun, SnapshotId: SNAPSHOT }), send),
    RegisterImage: () => client.send(new RegisterImageCommand({ DryRun, ...DRY_IMAGE }), send),
    DeregisterImage: () => client.send(new DeregisterImageCommand({ DryRun, ImageId: IMAGE }), send),
    ModifyImageAttribute: () =>
      client.send(new ModifyImageAttributeCommand({ DryRun, ImageId: IMAGE, Description: { Value: "" } }), send),
    CreateTags: () =>
      client.send(new CreateTagsCommand({ DryRun, Resources: [SNAPSHOT], Tags: [{ Key: "Name", Value: "" }] }), send),
  };
  try {
    const checks: PermissionCheck[] = [];
    for (const [action, call] of Object.entries(calls)) {
      const { verdict, detail } = await judge(action, call);
      signal.throwIfAborted();
      checks.push({ action: `ec2:${action}`, verdict, detail });
    }
    return checks;
  } finally {
    client.destroy();
  }
}

const DRY_IMAGE = {
  Name: "amibake-permission-check",
  RootDeviceName: "/dev/xvda",
  BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: SNAPSHOT } }],
};

async function judge(action: string, call: () => Promise<unknown>): Promise<Omit<PermissionCheck, "action">> {
  try {
    await call();
    return { verdict: "allowed", detail: "" };
  } catch (thrown) {
    const { awsCode, message } = awsErrorFrom(action, thrown);
    if (awsCode === "DryRunOperation") return { verdict: "allowed", detail: "" };
    if (awsCode === "UnauthorizedOperation") return { verdict: "refused", detail: message };
    return { verdict: "unknown", detail: message };
  }
}
