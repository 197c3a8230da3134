// The only file, with credentials.ts, that knows the SDK. Import it with `await import()`: it takes 100 ms.
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
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
  type RegisterImageRequest,
  type ResourceType,
  type Image as SdkImage,
  type BlockDeviceMapping as SdkMapping,
  type TagSpecification,
} from "@aws-sdk/client-ec2";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { ImageId, SnapshotId, VolumeId } from "../base/ids.ts";
import { retry } from "../base/retry.ts";
import { together } from "../base/together.ts";
import { awsErrorFrom, hasCode, isNotFound, isStillInUse, isTransient } from "./aws-error.ts";
import type { Credentials } from "./credentials.ts";
import type { BlockDeviceMapping, Ec2Api, Ec2Calls, Image } from "./ec2-api.ts";

export interface Ec2SdkOptions {
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
  readonly endpoint: string | undefined;
  readonly signal: AbortSignal;
  /** Told of each call that is tried again. */
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
}

const NEVER = new AbortController().signal;

const CONNECT_MS = 5_000;
const ANSWER_MS = 30_000;
// 0.25 s, doubling to 10 s: 10 attempts ride out about a minute of throttling.
const ATTEMPTS_MAX = 10;
const BACKOFF_MS_FIRST = 250;
const BACKOFF_MS_MAX = 10_000;

/**
 * Ec2Api by the AWS SDK. Retrying is done here and nowhere else: the SDK's own is off.
 *
 * @param options.signal cancels calls under way, but never those that release something.
 */
export function createEc2Api(options: Ec2SdkOptions): Ec2Api & Disposable {
  const { region } = options;
  const client = new EC2Client({
    region,
    credentials: options.credentials,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
    }),
  });
  return {
    region,
    ...callsOf(client, options),
    releasing: callsOf(client, { ...options, signal: NEVER, isReleasing: true }),
    [Symbol.dispose]: () => client.destroy(),
  };
}

function callsOf(client: EC2Client, options: Ec2SdkOptions & { isReleasing?: boolean }): Ec2Calls {
  const { signal } = options;

  async function call<T>(
    name: string,
    send: (sendOptions: { abortSignal: AbortSignal }) => Promise<T>,
    kind: { isIdempotent?: boolean; isCreating?: boolean } = {},
  ): Promise<T> {
    const isIdempotent = kind.isIdempotent ?? true;
    // A creating call under way is not cut off: nobody would learn what it has made. Its caller registers the undo, and
    // the next step notices that the build was cancelled.
    const abortSignal = kind.isCreating ? NEVER : signal;
    const attempt = async (): Promise<T> => {
      try {
        return await send({ abortSignal });
      } catch (thrown) {
        signal.throwIfAborted();
        throw awsErrorFrom(name, thrown);
      }
    };
    return retry(
      attempt,
      {
        attemptsMax: ATTEMPTS_MAX,
        backoffMsFirst: BACKOFF_MS_FIRST,
        backoffMsMax: BACKOFF_MS_MAX,
        isTransient: (error) =>
          isTransient(error, isIdempotent) || (options.isReleasing === true && isStillInUse(error)),
        onRetry: (tried, error) => options.onRetry(name, tried, error instanceof Error ? error.message : String(error)),
      },
      signal,
    );
  }

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
      return answer.VolumeId as VolumeId;
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
      await undefinedIfNotFound(
        call("DeleteVolume", (sendOptions) =>
          client.send(new DeleteVolumeCommand({ VolumeId: volumeId }), sendOptions),
        ),
      );
    },

    async attachVolume(volumeId, instanceId, deviceName) {
      const command = new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Device: deviceName });
      await call("AttachVolume", (sendOptions) => client.send(command, sendOptions), {
        isIdempotent: false,
        isCreating: true,
      });
    },

    async detachVolume(volumeId) {
      try {
        await call("DetachVolume", (sendOptions) =>
          client.send(new DetachVolumeCommand({ VolumeId: volumeId }), sendOptions),
        );
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
        isIdempotent: false,
        isCreating: true,
      });
      return answer.SnapshotId as SnapshotId;
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
      await undefinedIfNotFound(
        call("DeleteSnapshot", (sendOptions) =>
          client.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }), sendOptions),
        ),
      );
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
      const answer = await call("RegisterImage", (sendOptions) => client.send(command, sendOptions), {
        isIdempotent: false,
        isCreating: true,
      });
      return answer.ImageId as ImageId;
    },

    async deregisterImage(imageId) {
      await undefinedIfNotFound(
        call("DeregisterImage", (sendOptions) =>
          client.send(new DeregisterImageCommand({ ImageId: imageId }), sendOptions),
        ),
      );
    },

    async shareImage(imageId, { userIds, groups }) {
      const add = [...userIds.map((UserId) => ({ UserId })), ...groups.map((Group) => ({ Group: Group as "all" }))];
      const command = new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: add } });
      await call("ModifyImageAttribute", (sendOptions) => client.send(command, sendOptions));
    },

    async addProductCodes(imageId, productCodes) {
      const command = new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [...productCodes] });
      await call("ModifyImageAttribute", (sendOptions) => client.send(command, sendOptions));
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

function sdkFilters(filters: Readonly<Record<string, readonly string[]>>) {
  const entries = Object.entries(filters);
  return entries.length === 0 ? undefined : entries.map(([Name, Values]) => ({ Name, Values: [...Values] }));
}

function tagSpecifications(
  resourceType: ResourceType,
  tags: Readonly<Record<string, string>>,
): TagSpecification[] | undefined {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return list.length === 0 ? undefined : [{ ResourceType: resourceType, Tags: list }];
}

function imageFromSdk(image: SdkImage): Image {
  return {
    imageId: image.ImageId as ImageId,
    name: image.Name ?? "",
    ownerId: image.OwnerId ?? "",
    ownerAlias: image.ImageOwnerAlias ?? "",
    state: image.State ?? "",
    stateReason: image.StateReason?.Message,
    creationDate: image.CreationDate ?? "",
    architecture: image.Architecture ?? "",
    virtualizationType: image.VirtualizationType ?? "",
    rootDeviceType: image.RootDeviceType ?? "",
    rootDeviceName: image.RootDeviceName ?? "",
    blockDeviceMappings: (image.BlockDeviceMappings ?? []).map(mappingFromSdk),
    productCodes: (image.ProductCodes ?? []).map(({ ProductCodeId, ProductCodeType }) => ({
      code: ProductCodeId ?? "",
      type: ProductCodeType ?? "",
    })),
    enaSupport: image.EnaSupport ?? false,
    sriovNetSupport: image.SriovNetSupport,
    bootMode: image.BootMode,
    tpmSupport: image.TpmSupport,
    imdsSupport: image.ImdsSupport,
    kernelId: image.KernelId,
    ramdiskId: image.RamdiskId,
    tags: Object.fromEntries((image.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
  };
}

function mappingFromSdk(mapping: SdkMapping): BlockDeviceMapping {
  const { DeviceName = "", VirtualName, NoDevice, Ebs } = mapping;
  return {
    deviceName: DeviceName,
    ...(VirtualName === undefined ? {} : { virtualName: VirtualName }),
    ...(NoDevice === undefined ? {} : { noDevice: true }),
    ...(Ebs === undefined
      ? {}
      : {
          ebs: withoutUndefined({
            snapshotId: Ebs.SnapshotId,
            sizeGib: Ebs.VolumeSize,
            volumeType: Ebs.VolumeType,
            iops: Ebs.Iops,
            throughput: Ebs.Throughput,
            deleteOnTermination: Ebs.DeleteOnTermination,
            encrypted: Ebs.Encrypted,
            kmsKeyId: Ebs.KmsKeyId,
          }),
        }),
  };
}

function mappingToSdk({ deviceName, virtualName, noDevice, ebs }: BlockDeviceMapping): SdkMapping {
  return {
    DeviceName: deviceName,
    VirtualName: virtualName,
    NoDevice: noDevice ? "" : undefined,
    Ebs:
      ebs === undefined
        ? undefined
        : {
            SnapshotId: ebs.snapshotId,
            VolumeSize: ebs.sizeGib,
            VolumeType: ebs.volumeType as never,
            Iops: ebs.iops,
            Throughput: ebs.throughput,
            DeleteOnTermination: ebs.deleteOnTermination,
            Encrypted: ebs.encrypted,
            KmsKeyId: ebs.kmsKeyId,
          },
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}
