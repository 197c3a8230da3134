import { ApiError } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { Call } from "./call.ts";
import { applyFilters } from "./filters.ts";

/** Regions that every account can use, with the letters of their zones. */
const REGIONS: Readonly<Record<string, string>> = {
  "ap-south-1": "abc",
  "eu-north-1": "abc",
  "eu-west-3": "abc",
  "eu-west-2": "abc",
  "eu-west-1": "abc",
  "ap-northeast-3": "abc",
  "ap-northeast-2": "abcd",
  "ap-northeast-1": "acd",
  "ca-central-1": "abd",
  "sa-east-1": "abc",
  "ap-southeast-1": "abc",
  "ap-southeast-2": "abc",
  "eu-central-1": "abc",
  "us-east-1": "abcdef",
  "us-east-2": "abc",
  "us-west-1": "ac",
  "us-west-2": "abcd",
};

/** Regions that an account has to ask for; nobody here has. */
const OPT_IN_REGIONS = [
  "af-south-1",
  "ap-east-1",
  "ap-south-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-7",
  "ca-west-1",
  "eu-central-2",
  "eu-south-1",
  "eu-south-2",
  "il-central-1",
  "me-central-1",
  "me-south-1",
  "mx-central-1",
] as const;

export function isRegion(name: string): boolean {
  return Object.hasOwn(REGIONS, name);
}

export interface Zone {
  readonly name: string;
  readonly id: string;
  readonly region: string;
}

export function zonesOf(region: string): Zone[] {
  const letters = REGIONS[region] ?? "";
  return [...letters].map((letter, index) => ({
    name: `${region}${letter}`,
    id: `${shortName(region)}-az${index + 1}`,
    region,
  }));
}

/** "us-east-1" becomes "use1", "ap-southeast-2" "apse2": the first part of a zone id. */
function shortName(region: string): string {
  const [area = "", direction = "", number = ""] = region.split("-");
  const letters = direction.replace(/^(north|south)?(east|west|central)?$/, (_, first = "", second = "") =>
    [first, second].map((word: string) => word.slice(0, 1)).join(""),
  );
  return `${area}${letters}${number}`;
}

export function describeRegions({ params }: Call): XmlObject {
  const optedIn = Object.keys(REGIONS).map((name) => ({ name, optInStatus: "opt-in-not-required" }));
  const others = OPT_IN_REGIONS.map((name) => ({ name, optInStatus: "not-opted-in" }));
  const all = [...optedIn, ...others].map((region) => ({
    ...region,
    endpoint: `ec2.${region.name}.amazonaws.com`,
    tags: [],
  }));
  const names = params.list("RegionName");
  const unknown = names.filter((name) => !all.some((region) => region.name === name));
  if (unknown.length > 0) {
    throw new ApiError("InvalidParameterValue", `Invalid region name(s) provided: ${unknown.join(",")}`);
  }
  const hasAll = params.boolean("AllRegions") === true || names.length > 0;
  const offered = all.filter(({ name, optInStatus }) =>
    names.length > 0 ? names.includes(name) : hasAll || optInStatus !== "not-opted-in",
  );
  const matching = applyFilters(offered, params, {
    "region-name": ({ name }) => name,
    endpoint: ({ endpoint }) => endpoint,
    "opt-in-status": ({ optInStatus }) => optInStatus,
  });
  return {
    regionInfo: matching.map(({ name, endpoint, optInStatus }) => ({
      regionName: name,
      regionEndpoint: endpoint,
      optInStatus,
    })),
  };
}

export function describeAvailabilityZones({ params, region }: Call): XmlObject {
  const zones = zonesOf(region).map((zone) => ({ ...zone, tags: [] }));
  const names = params.list("ZoneName");
  const unknownName = names.find((name) => !zones.some((zone) => zone.name === name));
  if (unknownName !== undefined) {
    throw new ApiError("InvalidParameterValue", `Invalid availability zone: [${unknownName}]`);
  }
  const ids = params.list("ZoneId");
  const unknownId = ids.find((id) => !zones.some((zone) => zone.id === id));
  if (unknownId !== undefined) {
    throw new ApiError("InvalidParameterValue", `Invalid availability zone-id: [${unknownId}]`);
  }
  const asked = zones.filter(
    ({ name, id }) => (names.length === 0 && ids.length === 0) || names.includes(name) || ids.includes(id),
  );
  const matching = applyFilters(asked, params, {
    "zone-name": ({ name }) => name,
    "zone-id": ({ id }) => id,
    "region-name": (zone) => zone.region,
    "group-name": (zone) => `${zone.region}-zg-1`,
    "opt-in-status": () => "opt-in-not-required",
    "zone-type": () => "availability-zone",
    state: () => "available",
    message: () => undefined,
    "parent-zone-id": () => undefined,
    "parent-zone-name": () => undefined,
  });
  return {
    availabilityZoneInfo: matching.map((zone) => ({
      optInStatus: "opt-in-not-required",
      messageSet: [],
      regionName: zone.region,
      zoneName: zone.name,
      zoneId: zone.id,
      groupName: `${zone.region}-zg-1`,
      networkBorderGroup: zone.region,
      zoneType: "availability-zone",
      zoneState: "available",
    })),
  };
}
