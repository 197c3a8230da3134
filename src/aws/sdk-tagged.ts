import {
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  type EC2Client,
  type Filter,
  type Tag,
} from "@aws-sdk/client-ec2";
import type { Call } from "./call-with-retry.ts";
import type { ResourceKind, TaggedResource } from "./ec2-api.ts";
import { sdkFilters, tagRecord } from "./sdk-shapes.ts";

/** What of this account carries a tag: with the value, or with any. */
export async function findTagged(
  client: EC2Client,
  call: Call,
  { kind, key, value }: { kind: ResourceKind; key: string; value?: string | undefined },
): Promise<TaggedResource[]> {
  const filters = sdkFilters(value === undefined ? { "tag-key": [key] } : { [`tag:${key}`]: [value] });
  const found: TaggedResource[] = [];
  let nextToken: string | undefined;
  do {
    const page = { Filters: filters, MaxResults: 1000, NextToken: nextToken };
    const answer = await TAGGED[kind](client, page, call);
    found.push(...answer.resources);
    nextToken = answer.nextToken || undefined;
  } while (nextToken !== undefined);
  return found;
}

interface TaggedPage {
  readonly resources: readonly TaggedResource[];
  readonly nextToken: string | undefined;
}

type Page = { Filters: Filter[] | undefined; MaxResults: number; NextToken: string | undefined };

/** How each kind of resource is asked for. */
const TAGGED: Readonly<Record<ResourceKind, (client: EC2Client, page: Page, call: Call) => Promise<TaggedPage>>> = {
  async volume(client, page, call) {
    const answer = await call("DescribeVolumes", (options) => client.send(new DescribeVolumesCommand(page), options));
    const resources = (answer.Volumes ?? []).map(({ VolumeId, State, Tags, Attachments = [] }) => ({
      ...tagged("volume", VolumeId, State, Tags),
      attachedTo: Attachments.flatMap(({ InstanceId }) => InstanceId ?? []),
    }));
    return { resources, nextToken: answer.NextToken };
  },
  async snapshot(client, page, call) {
    const command = new DescribeSnapshotsCommand({ ...page, OwnerIds: ["self"] });
    const answer = await call("DescribeSnapshots", (options) => client.send(command, options));
    const resources = (answer.Snapshots ?? []).map(({ SnapshotId, State, Tags }) =>
      tagged("snapshot", SnapshotId, State, Tags),
    );
    return { resources, nextToken: answer.NextToken };
  },
  async image(client, page, call) {
    const command = new DescribeImagesCommand({ ...page, Owners: ["self"], IncludeDeprecated: true });
    const answer = await call("DescribeImages", (options) => client.send(command, options));
    const resources = (answer.Images ?? []).map(({ ImageId, State, Tags, BlockDeviceMappings = [] }) => ({
      ...tagged("image", ImageId, State, Tags),
      snapshotIds: BlockDeviceMappings.flatMap(({ Ebs }) => Ebs?.SnapshotId ?? []),
    }));
    return { resources, nextToken: answer.NextToken };
  },
};

function tagged(kind: ResourceKind, id = "", state = "", tags: Tag[] = []): TaggedResource {
  return { kind, id, state, tags: tagRecord(tags), snapshotIds: [], attachedTo: [] };
}
