import type { XmlObject } from "../protocol/xml.ts";
import { attachedVolumes } from "./attachments.ts";
import type { Call } from "./call.ts";
import type { Cloud, HostInstance } from "./cloud.ts";
import { applyFilters, type FilterTable, NEVER } from "./filters.ts";
import { type PageLimits, pageOf } from "./pages.ts";
import { instanceId, instanceNotFound } from "./resource-ids.ts";

/** DescribeInstances, "MaxResults": 5 to 1,000. */
const PAGES: PageLimits = { min: 5, max: 1_000, idsName: "instancesSet" };

/** The host, with what a filter may ask about it. */
interface InstanceView {
  readonly host: HostInstance;
  readonly mappings: readonly InstanceMapping[];
  readonly sequence: number;
  readonly tags: readonly [];
}

interface InstanceMapping {
  readonly deviceName: string;
  readonly volumeId: string;
  readonly status: string;
  readonly attachTime: string;
  readonly deleteOnTermination: boolean;
}

export function describeInstances(call: Call): XmlObject {
  const { params, cloud, caller, region } = call;
  const { host } = cloud;
  const instances = host.accountId === caller.accountId && host.region === region ? [instanceView(cloud)] : [];
  const ids = params.list("InstanceId").map(instanceId);
  const missing = ids.find((id) => !instances.some((instance) => instance.host.instanceId === id));
  if (missing !== undefined) throw instanceNotFound(missing);
  const page = pageOf(applyFilters(instances, params, FILTERS), params, PAGES, ids.length > 0);
  return { reservationSet: page.items.map(reservationFields), nextToken: page.nextToken };
}

function instanceView(cloud: Cloud): InstanceView {
  const { host } = cloud;
  const root: InstanceMapping = {
    deviceName: host.rootDeviceName,
    volumeId: host.rootVolumeId,
    status: "attached",
    attachTime: launchTime(host),
    deleteOnTermination: true,
  };
  const others = attachedVolumes(cloud).flatMap(({ id, attachment }): InstanceMapping[] => {
    if (attachment === undefined) return [];
    const { deviceName, state: status, attachTime } = attachment;
    return [{ deviceName, volumeId: id, status, attachTime, deleteOnTermination: false }];
  });
  return { host, mappings: [root, ...others], sequence: 1, tags: [] };
}

function reservationFields({ host, mappings }: InstanceView): XmlObject {
  const hostName = `ip-${host.privateIp.replaceAll(".", "-")}.ec2.internal`;
  return {
    reservationId: reservationId(host),
    ownerId: host.accountId,
    groupSet: [],
    instancesSet: [
      {
        instanceId: host.instanceId,
        imageId: host.imageId,
        instanceState: { code: 16, name: "running" },
        privateDnsName: hostName,
        dnsName: "",
        reason: "",
        amiLaunchIndex: 0,
        productCodes: [],
        instanceType: host.instanceType,
        launchTime: launchTime(host),
        placement: { availabilityZone: host.zone, groupName: "", tenancy: "default" },
        monitoring: { state: "disabled" },
        privateIpAddress: host.privateIp,
        sourceDestCheck: true,
        groupSet: [],
        architecture: host.architecture,
        rootDeviceType: "ebs",
        rootDeviceName: host.rootDeviceName,
        blockDeviceMapping: mappings.map(({ deviceName, ...ebs }) => ({ deviceName, ebs: { ...ebs } })),
        virtualizationType: "hvm",
        clientToken: "",
        hypervisor: "xen",
        networkInterfaceSet: [],
        iamInstanceProfile: {
          arn: `arn:aws:iam::${host.accountId}:instance-profile/${host.roleName}`,
          id: `AIPA${host.instanceId.slice(2, 18).toUpperCase()}`,
        },
        ebsOptimized: host.isNitro,
        enaSupport: host.isNitro,
        currentInstanceBootMode: host.architecture === "arm64" ? "uefi" : "legacy-bios",
        platformDetails: "Linux/UNIX",
        usageOperation: "RunInstances",
      },
    ],
  };
}

function launchTime({ launchedAtMs }: HostInstance): string {
  return new Date(launchedAtMs).toISOString();
}

function reservationId({ instanceId }: HostInstance): string {
  return `r-${instanceId.slice(2)}`;
}

/** DescribeInstances, "Filter.N": those that say something of an instance without network, host or lease. */
const FILTERS: FilterTable<InstanceView> = {
  architecture: ({ host }) => host.architecture,
  "availability-zone": ({ host }) => host.zone,
  "block-device-mapping.attach-time": ({ mappings }) => mappings.map(({ attachTime }) => attachTime),
  "block-device-mapping.delete-on-termination": ({ mappings }) =>
    mappings.map((mapping) => mapping.deleteOnTermination),
  "block-device-mapping.device-name": ({ mappings }) => mappings.map(({ deviceName }) => deviceName),
  "block-device-mapping.status": ({ mappings }) => mappings.map(({ status }) => status),
  "block-device-mapping.volume-id": ({ mappings }) => mappings.map(({ volumeId }) => volumeId),
  "client-token": NEVER,
  "dns-name": NEVER,
  hypervisor: () => "xen",
  "iam-instance-profile.arn": ({ host }) => `arn:aws:iam::${host.accountId}:instance-profile/${host.roleName}`,
  "image-id": ({ host }) => host.imageId,
  "instance-id": ({ host }) => host.instanceId,
  "instance-lifecycle": NEVER,
  "instance-state-code": () => 16,
  "instance-state-name": () => "running",
  "instance-type": ({ host }) => host.instanceType,
  "ip-address": NEVER,
  "key-name": NEVER,
  "launch-index": () => 0,
  "launch-time": ({ host }) => launchTime(host),
  "monitoring-state": () => "disabled",
  "owner-id": ({ host }) => host.accountId,
  platform: NEVER,
  "platform-details": () => "Linux/UNIX",
  "private-dns-name": ({ host }) => `ip-${host.privateIp.replaceAll(".", "-")}.ec2.internal`,
  "private-ip-address": ({ host }) => host.privateIp,
  "product-code": NEVER,
  "reservation-id": ({ host }) => reservationId(host),
  "root-device-name": ({ host }) => host.rootDeviceName,
  "root-device-type": () => "ebs",
  "source-dest-check": () => true,
  "subnet-id": NEVER,
  tenancy: () => "default",
  "usage-operation": () => "RunInstances",
  "virtualization-type": () => "hvm",
  "vpc-id": NEVER,
};
