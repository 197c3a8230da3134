import { arch } from "node:process";
import { attachedVolumes } from "../operations/attachments.ts";
import type { Cloud } from "../operations/cloud.ts";
import { commitToRead } from "../operations/room.ts";
import { newSession } from "../operations/sts.ts";
import type { CredentialRecord } from "../state/records.ts";

/** Credentials of the role last this long, and new ones are given when an hour is left: EC2 does about the same. */
const ROLE_DURATION_SECONDS = 6 * 3_600;
const ROLE_RENEWAL_MS = 3_600_000;

/**
 * What the metadata service says below `/latest/`.
 *
 * A path that ends in a slash, or that has others below it, is a directory and
 * lists them.
 *
 * @returns undefined for a path that does not exist.
 */
export async function metadata(cloud: Cloud, path: string): Promise<string | undefined> {
  const tree = metadataTree(cloud);
  const value = tree[path] ?? tree[path.replace(/\/$/, "")];
  if (value !== undefined) return value();
  return listing(Object.keys(tree), path);
}

type Leaf = () => string | Promise<string>;

function metadataTree(cloud: Cloud): Record<string, Leaf> {
  const { host } = cloud;
  const hostName = `ip-${host.privateIp.replaceAll(".", "-")}.ec2.internal`;
  return {
    "dynamic/instance-identity/document": () => identityDocument(cloud),
    "meta-data/ami-id": () => host.imageId,
    "meta-data/ami-launch-index": () => "0",
    "meta-data/ami-manifest-path": () => "(unknown)",
    ...blockDeviceMapping(cloud),
    "meta-data/hostname": () => hostName,
    "meta-data/iam/info": () => roleInfo(cloud),
    [`meta-data/iam/security-credentials/${host.roleName}`]: () => roleCredentials(cloud),
    "meta-data/instance-action": () => "none",
    "meta-data/instance-id": () => host.instanceId,
    "meta-data/instance-life-cycle": () => "on-demand",
    "meta-data/instance-type": () => host.instanceType,
    "meta-data/local-hostname": () => hostName,
    "meta-data/local-ipv4": () => host.privateIp,
    "meta-data/mac": () => host.macAddress,
    [`meta-data/network/interfaces/macs/${host.macAddress}/device-number`]: () => "0",
    [`meta-data/network/interfaces/macs/${host.macAddress}/local-ipv4s`]: () => host.privateIp,
    [`meta-data/network/interfaces/macs/${host.macAddress}/mac`]: () => host.macAddress,
    [`meta-data/network/interfaces/macs/${host.macAddress}/owner-id`]: () => host.accountId,
    "meta-data/placement/availability-zone": () => host.zone,
    "meta-data/placement/region": () => host.region,
    "meta-data/profile": () => "default-hvm",
    "meta-data/reservation-id": () => `r-${host.instanceId.slice(2)}`,
    "meta-data/security-groups": () => "default",
    "meta-data/services/domain": () => "amazonaws.com",
    "meta-data/services/partition": () => "aws",
  };
}

function identityDocument({ host }: Cloud): string {
  return JSON.stringify(
    {
      accountId: host.accountId,
      architecture: arch === "arm64" ? "arm64" : "x86_64",
      availabilityZone: host.zone,
      billingProducts: null,
      devpayProductCodes: null,
      marketplaceProductCodes: null,
      imageId: host.imageId,
      instanceId: host.instanceId,
      instanceType: host.instanceType,
      kernelId: null,
      pendingTime: `${new Date(host.launchedAtMs).toISOString().slice(0, 19)}Z`,
      privateIp: host.privateIp,
      ramdiskId: null,
      region: host.region,
      version: "2017-09-30",
    },
    undefined,
    2,
  );
}

function blockDeviceMapping(cloud: Cloud): Record<string, Leaf> {
  const short = (deviceName: string) => deviceName.replace(/^\/dev\//, "");
  const root = short(cloud.host.rootDeviceName);
  const others = attachedVolumes(cloud).map(({ attachment }, index): [string, Leaf] => [
    `meta-data/block-device-mapping/ebs${index + 1}`,
    () => short(attachment?.deviceName ?? ""),
  ]);
  return {
    "meta-data/block-device-mapping/ami": () => root,
    ...Object.fromEntries(others),
    "meta-data/block-device-mapping/root": () => cloud.host.rootDeviceName,
  };
}

function roleInfo({ host, clock }: Cloud): string {
  return JSON.stringify({
    Code: "Success",
    LastUpdated: seconds(clock.now()),
    InstanceProfileArn: `arn:aws:iam::${host.accountId}:instance-profile/${host.roleName}`,
    InstanceProfileId: `AIPA${host.instanceId.slice(2, 18).toUpperCase()}`,
  });
}

async function roleCredentials(cloud: Cloud): Promise<string> {
  const session = currentRoleSession(cloud) ?? newRoleSession(cloud);
  // They must be valid for whoever reads them now, also after a crash.
  await commitToRead(cloud);
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs = 0 } = session;
  return JSON.stringify(
    {
      Code: "Success",
      LastUpdated: seconds(expiresAtMs - ROLE_DURATION_SECONDS * 1000),
      Type: "AWS-HMAC",
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: seconds(expiresAtMs),
    },
    undefined,
    2,
  );
}

function roleArn({ host }: Cloud): string {
  return `arn:aws:sts::${host.accountId}:assumed-role/${host.roleName}/${host.instanceId}`;
}

function currentRoleSession(cloud: Cloud): CredentialRecord | undefined {
  const goodUntilMs = cloud.clock.now() + ROLE_RENEWAL_MS;
  return cloud.state.credentials
    .values()
    .find(({ arn, expiresAtMs = 0 }) => arn === roleArn(cloud) && expiresAtMs > goodUntilMs);
}

function newRoleSession(cloud: Cloud): CredentialRecord {
  const { accountId, roleName, instanceId } = cloud.host;
  const role = { accountId, roleName, sessionName: instanceId, durationSeconds: ROLE_DURATION_SECONDS };
  const session = newSession(cloud, role);
  cloud.state.credentials.put(session.accessKeyId, session);
  return session;
}

/** Names directly below a directory, as IMDS lists them: those with more below them end in a slash. */
function listing(paths: readonly string[], path: string): string | undefined {
  const directory = path === "" || path.endsWith("/") ? path : `${path}/`;
  const below = paths
    .filter((candidate) => candidate.startsWith(directory))
    .map((found) => found.slice(directory.length));
  if (below.length === 0) return undefined;
  const names = below.map((rest) => (rest.includes("/") ? `${rest.split("/", 1)[0]}/` : rest));
  return [...new Set(names)].join("\n");
}

function seconds(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}
