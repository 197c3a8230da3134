// The only file, with credentials.ts, that knows the SDK. Import it with `await import()`: it takes 100 ms.
import {
  AttachVolumeCommand,
  CopyImageCommand,
  CreateSnapshotCommand,
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
  type RegisterImageRequest,
  type Image as SdkImage,
} from "@aws-sdk/client-ec2";
import type { Clock } from "../base/clock.ts";
import type { ImageId, SnapshotId, VolumeId } from "../base/ids.ts";
import { NEVER } from "../base/never.ts";
import { together } from "../base/together.ts";
import { awsErrorFrom, hasCode, isNotFound } from "./aws-error.ts";
import { caller } from "./call-with-retry.ts";
import type { Credentials } from "./credentials.ts";
import type { Ec2Api, Ec2Calls } from "./ec2-api.ts";
import { OwnResources } from "./own-resources.ts";
import { imageFromSdk, mappingToSdk, sdkFilters, tagSpecifications } from "./sdk-shapes.ts";
import { findTagged } from "./sdk-tagged.ts";
import { SdkTransport } from "./sdk-transport.ts";

export interface Ec2SdkOptions {
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
  readonly endpoint: string | undefined;
  readonly signal: AbortSignal;
  /** Of the backoff and of the wait for an answer; signatures are made with the system's time. */
  readonly clock: Clock;
  /** Told of each call that is tried again. */
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
  /** Shared by all clients that name what the others have made. @default none of theirs */
  readonly own?: OwnResources | undefined;
  /** Of the process: it may name a proxy, which is not used, and a call that does not come through says so. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Ec2Api by the AWS SDK. Retrying is done here and nowhere else: the SDK's own is off.
 *
 * @param given.signal cancels calls under way, but never those that release something.
 */
export function createEc2Api(given: Ec2SdkOptions): Ec2Api & Disposable {
  const options = { ...given, own: given.own ?? new OwnResources(given.clock) };
  const { region } = options;
  const client = new EC2Client({
    region,
    credentials: options.credentials,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    maxAttempts: 1,
    requestHandler: new SdkTransport(),
  });
  return {
    region,
    ...callsOf(client, options),
    releasing: callsOf(client, { ...options, signal: NEVER, isReleasing: true }),
    [Symbol.dispose]: () => client.destroy(),
  };
}

type CallsOptions = Ec2SdkOptions & { readonly own: OwnResources; readonly isReleasing?: boolean };

function callsOf(client: EC2Client, options: CallsOptions): Ec2Calls {
  const call = caller(options);
  const { own } = options;
  const made = <Id extends string>(id: string | undefined): Id => {
    if (id !== undefined) own.add(id);
    return id as Id;
  };
  return {
    async findImages({ imageIds, owners, filters = {}, includeDeprecated }) {
      const images: SdkImage[] = [];
      let nextToken: string | undefined;
      do {
        const page = await call("DescribeImages", (sendOptions) =>
          client.send(
            new DescribeImagesCommand({
              ImageIds: imageIds === undefined ? undefined : [...imageIds],
              Owners: owners === undefined || owners.length === 0 ? undefined : [...owners],
              Filters: sdkFilters(filters),
              IncludeDeprecated: includeDeprecated,
              NextToken: nextToken,
              // With ids, EC2 refuses MaxResults; without, it wants the result in pages.
              MaxResults: imageIds === undefined ? 1000 : undefined,
            }),
            sendOptions,
          ),
        );
        images.push(...(page.Images ?? []));
        nextToken = page.NextToken || undefined;
      } while (nextToken !== undefined);
      return images.map(imageFromSdk);
    },

    async findUefiData(imageId) {
      try {
        const answer = await call("DescribeImageAttribute", (sendOptions) =>
          client.send(new DescribeImageAttributeCommand({ ImageId: imageId, Attribute: "uefiData" }), sendOptions),
        );
        return answer.UefiData?.Value || undefined;
      } catch (error) {
        // Only the owner may read attributes of an image. Without them the image still boots, with fresh variables.
        if (hasCode(error, "AuthFailure", "UnauthorizedOperation", "InvalidRequest", "InvalidAMIID.NotFound"))
          return undefined;
        throw error;
      }
    },

    async describeInstance(instanceId) {
      const filter = { Filters: [{ Name: "attachment.instance-id", Values: [instanceId] }] };
      const [answer, volumes] = await together([
        call("DescribeInstances", (sendOptions) =>
          client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }), sendOptions),
        ),
        // Mappings of the instance leave out what is still attaching or already detaching.
        call("DescribeVolumes", (sendOptions) => client.send(new DescribeVolumesCommand(filter), sendOptions)),
      ]);
      const instance = answer.Reservations?.[0]?.Instances?.[0];
      if (instance === undefined) {
        throw awsErrorFrom("DescribeInstances", new Error(`no instance ${instanceId} in the answer`));
      }
      const mapped = (instance.BlockDeviceMappings ?? []).map(({ DeviceName }) => DeviceName ?? "");
      const attachments = (volumes.Volumes ?? []).flatMap(({ Attachments = [] }) => Attachments);
      return {
        instanceId,
        availabilityZone: instance.Placement?.AvailabilityZone ?? "",
        instanceType: instance.InstanceType ?? "",
        deviceNames: [...new Set([...mapped, ...attachments.map(({ Device }) => Device ?? "")])],
      };
    },

    async createVolume(plan) {
      const answer = await call(
        "CreateVolume",
        (sendOptions) =>
          client.send(
            new CreateVolumeCommand({
              AvailabilityZone: plan.availabilityZone,
              SnapshotId: plan.snapshotId,
              Size: plan.sizeGib,
              VolumeType: plan.volumeType as never,
              Iops: plan.iops,
              Throughput: plan.throughput,
              Encrypted: plan.encrypted,
              KmsKeyId: plan.kmsKeyId,
              TagSpecifications: tagSpecifications("volume", plan.tags),
              ClientToken: plan.clientToken,
            }),
            sendOptions,
          ),
        { isCreating: true },
      );
      return made<VolumeId>(answer.VolumeId);
    },

    async findVolume(volumeId) {
      const answer = await undefinedIfNotFound(
        call("DescribeVolumes", (sendOptions) =>
          client.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }), sendOptions),
        ),
      );
      const volume = answer?.Volumes?.[0];
      if (volume === undefined) return undefined;
      const attachments = (volume.Attachments ?? []).map(({ InstanceId, Device, State }) => ({
        instanceId: InstanceId ?? "",
        deviceName: Device ?? "",
        state: State ?? "",
      }));
      return { volumeId, state: volume.State ?? "", attachments };
    },

    async deleteVolume(volumeId) {
      const answer = await undefinedIfNotFound(
        call(
          "DeleteVolume",
          (sendOptions) => client.send(new DeleteVolumeCommand({ VolumeId: volumeId }), sendOptions),
          { names: [volumeId], isDeleting: true },
        ),
      );
      return answer !== undefined;
    },

    async attachVolume(volumeId, instanceId, deviceName) {
      const command = new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Device: deviceName });
      // A repeat of one that took effect is refused: the volume is in use.
      await call("AttachVolume", (sendOptions) => client.send(command, sendOptions), {
        isCreating: true,
        names: [volumeId, instanceId],
      });
    },

    async detachVolume(volumeId) {
      try {
        const command = new DetachVolumeCommand({ VolumeId: volumeId });
        await call("DetachVolume", (sendOptions) => client.send(command, sendOptions), { names: [volumeId] });
      } catch (error) {
        // IncorrectState: the volume is "available" already.
        if (!isNotFound(error) && !hasCode(error, "IncorrectState")) throw error;
      }
    },

    async createSnapshot({ volumeId, description, tags }) {
      const command = new CreateSnapshotCommand({
        VolumeId: volumeId,
        Description: description,
        TagSpecifications: tagSpecifications("snapshot", tags),
      });
      const answer = await call("CreateSnapshot", (sendOptions) => client.send(command, sendOptions), {
        isRepeatable: false,
        isCreating: true,
        names: [volumeId],
      });
      return made<SnapshotId>(answer.SnapshotId);
    },

    async findSnapshot(snapshotId) {
      const answer = await undefinedIfNotFound(
        call("DescribeSnapshots", (sendOptions) =>
          client.send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }), sendOptions),
        ),
      );
      const snapshot = answer?.Snapshots?.[0];
      if (snapshot === undefined) return undefined;
      return {
        snapshotId,
        state: snapshot.State ?? "",
        stateMessage: snapshot.StateMessage,
        percent: Number.parseFloat(snapshot.Progress ?? "0") || 0,
      };
    },

    async deleteSnapshot(snapshotId) {
      const answer = await undefinedIfNotFound(
        call(
          "DeleteSnapshot",
          (sendOptions) => client.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }), sendOptions),
          { names: [snapshotId], isDeleting: true },
        ),
      );
      return answer !== undefined;
    },

    async registerImage(plan) {
      const command = new RegisterImageCommand({
        Name: plan.name,
        Description: plan.description,
        Architecture: plan.architecture as NonNullable<RegisterImageRequest["Architecture"]>,
        VirtualizationType: plan.virtualizationType,
        RootDeviceName: plan.rootDeviceName,
        BlockDeviceMappings: plan.blockDeviceMappings.map(mappingToSdk),
        EnaSupport: plan.enaSupport,
        SriovNetSupport: plan.sriovNetSupport,
        BootMode: plan.bootMode as never,
        TpmSupport: plan.tpmSupport as never,
        ImdsSupport: plan.imdsSupport as never,
        UefiData: plan.uefiData,
        KernelId: plan.kernelId,
        RamdiskId: plan.ramdiskId,
        TagSpecifications: tagSpecifications("image", plan.tags),
      });
      // A repeat of one that took effect is refused: the name is taken.
      const answer = await call("RegisterImage", (sendOptions) => client.send(command, sendOptions), {
        isCreating: true,
        names: plan.blockDeviceMappings.flatMap(({ ebs }) => ebs?.snapshotId ?? []),
      });
      return made<ImageId>(answer.ImageId);
    },

    async deregisterImage(imageId) {
      const answer = await undefinedIfNotFound(
        call(
          "DeregisterImage",
          (sendOptions) => client.send(new DeregisterImageCommand({ ImageId: imageId }), sendOptions),
          { names: [imageId], isDeleting: true },
        ),
      );
      return answer !== undefined;
    },

    async copyImage({ sourceImageId, name, description, tags, clientToken }) {
      const command = new CopyImageCommand({
        SourceImageId: sourceImageId,
        SourceRegion: options.region,
        Name: name,
        Description: description,
        ClientToken: clientToken,
        TagSpecifications: [
          ...(tagSpecifications("image", tags) ?? []),
          ...(tagSpecifications("snapshot", tags) ?? []),
        ],
      });
      const answer = await call("CopyImage", (sendOptions) => client.send(command, sendOptions), { isCreating: true });
      return made<ImageId>(answer.ImageId);
    },

    async shareImage(imageId, { userIds, groups }) {
      const add = [...userIds.map((UserId) => ({ UserId })), ...groups.map((Group) => ({ Group: Group as "all" }))];
      const command = new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: add } });
      await call("ModifyImageAttribute", (sendOptions) => client.send(command, sendOptions), { names: [imageId] });
    },

    async addProductCodes(imageId, productCodes) {
      const command = new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [...productCodes] });
      await call("ModifyImageAttribute", (sendOptions) => client.send(command, sendOptions), { names: [imageId] });
    },

    async findTagged(kind, { key, value, isOfOwn = false }) {
      const found = await findTagged(client, call, { kind, key, value });
      if (isOfOwn) for (const { id } of found) own.add(id);
      return found;
    },

    async deleteTags(resourceIds, keys) {
      const command = new DeleteTagsCommand({ Resources: [...resourceIds], Tags: keys.map((Key) => ({ Key })) });
      await call("DeleteTags", (sendOptions) => client.send(command, sendOptions), { names: resourceIds });
    },
  };
}

async function undefinedIfNotFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
