import type { XmlObject } from "../protocol/xml.ts";
import type { VolumeRecord } from "../state/records.ts";
import type { Call } from "./call.ts";
import { applyFilters, type FilterTable, NEVER } from "./filters.ts";
import { type PageLimits, pageOf } from "./pages.ts";
import { zonesOf } from "./regions.ts";
import { volumeId } from "./resource-ids.ts";
import { tagSet } from "./tag-rules.ts";
import { ownVolume, ownVolumes } from "./volumes.ts";

/** DescribeVolumes, "MaxResults": 5 to 1,000. */
const PAGES: PageLimits = { min: 5, max: 1_000, idsName: "volumesSet" };

export function describeVolumes(call: Call): XmlObject {
  const { params } = call;
  const ids = params.list("VolumeId");
  const volumes = ids.length > 0 ? ids.map((id) => ownVolume(call, volumeId(id, "volumes"))) : ownVolumes(call);
  const page = pageOf(applyFilters(volumes, params, FILTERS), params, PAGES, ids.length > 0);
  return { volumeSet: page.items.map(volumeFields), nextToken: page.nextToken };
}

export function describeVolumeStatus(call: Call): XmlObject {
  const { params } = call;
  const ids = params.list("VolumeId");
  const volumes = ids.length > 0 ? ids.map((id) => ownVolume(call, volumeId(id, "volumes"))) : ownVolumes(call);
  const page = pageOf(applyFilters(volumes, params, STATUS_FILTERS), params, PAGES, ids.length > 0);
  return { volumeStatusSet: page.items.map(statusFields), nextToken: page.nextToken };
}

export function attachmentFields({ id, attachment }: VolumeRecord): XmlObject[] {
  if (attachment === undefined) return [];
  return [
    {
      volumeId: id,
      instanceId: attachment.instanceId,
      device: attachment.deviceName,
      status: attachment.state,
      attachTime: attachment.attachTime,
      // "When you attach a volume … false" (AttachVolume keeps a volume beyond its instance).
      deleteOnTermination: false,
    },
  ];
}

export function volumeFields(volume: VolumeRecord): XmlObject {
  return {
    volumeId: volume.id,
    size: volume.sizeGib,
    // Empty, not absent, for a volume that comes from no snapshot.
    snapshotId: volume.snapshotId ?? "",
    availabilityZone: volume.zone,
    availabilityZoneId: zonesOf(volume.region).find(({ name }) => name === volume.zone)?.id,
    status: volume.state,
    createTime: volume.createTime,
    attachmentSet: attachmentFields(volume),
    tagSet: tagSet(volume.tags),
    volumeType: volume.type,
    iops: volume.iops,
    throughput: volume.throughput,
    encrypted: volume.encrypted,
    kmsKeyId: volume.kmsKeyId,
    multiAttachEnabled: volume.multiAttachEnabled,
  };
}

function statusFields(volume: VolumeRecord): XmlObject {
  return {
    volumeId: volume.id,
    availabilityZone: volume.zone,
    volumeStatus: {
      status: statusOf(volume),
      details: [
        { name: "io-enabled", status: volume.state === "error" ? "failed" : "passed" },
        { name: "io-performance", status: "not-applicable" },
      ],
    },
  };
}

function statusOf({ state }: VolumeRecord): string {
  if (state === "creating") return "insufficient-data";
  return state === "error" ? "impaired" : "ok";
}

/** DescribeVolumes, "Filter.N". */
const FILTERS: FilterTable<VolumeRecord> = {
  "attachment.attach-time": ({ attachment }) => attachment?.attachTime,
  "attachment.delete-on-termination": ({ attachment }) => (attachment === undefined ? undefined : false),
  "attachment.device": ({ attachment }) => attachment?.deviceName,
  "attachment.instance-id": ({ attachment }) => attachment?.instanceId,
  "attachment.status": ({ attachment }) => attachment?.state,
  "availability-zone": ({ zone }) => zone,
  "availability-zone-id": ({ region, zone }) => zonesOf(region).find(({ name }) => name === zone)?.id,
  "create-time": ({ createTime }) => createTime,
  encrypted: ({ encrypted }) => encrypted,
  "fast-restored": () => false,
  "multi-attach-enabled": ({ multiAttachEnabled }) => multiAttachEnabled,
  "operator.managed": () => false,
  "operator.principal": NEVER,
  size: ({ sizeGib }) => sizeGib,
  "snapshot-id": (volume) => volume.snapshotId,
  status: ({ state }) => state,
  "volume-id": ({ id }) => id,
  "volume-type": ({ type }) => type,
};

/** DescribeVolumeStatus, "Filter.N". Nothing ever happens to a volume here, so events and actions find nothing. */
const STATUS_FILTERS: FilterTable<VolumeRecord> = {
  "action.code": NEVER,
  "action.description": NEVER,
  "action.event-id": NEVER,
  "availability-zone": ({ zone }) => zone,
  "event.description": NEVER,
  "event.event-id": NEVER,
  "event.event-type": NEVER,
  "event.not-after": NEVER,
  "event.not-before": NEVER,
  "volume-status.details-name": () => ["io-enabled", "io-performance"],
  "volume-status.details-status": ({ state }) => [state === "error" ? "failed" : "passed", "not-applicable"],
  "volume-status.status": statusOf,
};
