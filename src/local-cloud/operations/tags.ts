import { ApiError, invalidParameterValue, missingParameter } from "../protocol/api-error.ts";
import type { Params } from "../protocol/query-params.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { Tag } from "../state/records.ts";
import { type Call, stopIfDryRun } from "./call.ts";
import { applyFilters, type FilterTable } from "./filters.ts";
import { ownImage } from "./images.ts";
import { type PageLimits, pageOf } from "./pages.ts";
import { imageId, snapshotId, volumeId } from "./resource-ids.ts";
import { ownSnapshot } from "./snapshots.ts";
import { mergeTags, newTags, type TaggableType } from "./tag-rules.ts";
import { ownVolume, ownVolumes } from "./volumes.ts";

/** DescribeTags, "MaxResults": 5 to 1,000. */
const PAGES: PageLimits = { min: 5, max: 1_000 };
/** CreateTags, "ResourceId": "Up to 1000 resource IDs". */
const RESOURCES_MAX = 1_000;

export function createTags(call: Call): XmlObject {
  const resources = requestedResources(call);
  const added = newTags(call.params);
  if (added.length === 0) throw missingParameter("Tag");
  // All of it is checked before any of it is done.
  const changes = resources.map((resource) => ({ resource, tags: mergeTags(resource.tags, added) }));
  stopIfDryRun(call);
  for (const { resource, tags } of changes) resource.setTags(tags);
  return { return: true };
}

export function deleteTags(call: Call): XmlObject {
  const resources = requestedResources(call);
  const removed = call.params.structures("Tag").map(removal);
  stopIfDryRun(call);
  for (const { tags, setTags } of resources) {
    // "If you omit this parameter, we delete all user-defined tags for the specified resources" (DeleteTags).
    setTags(removed.length === 0 ? [] : tags.filter((tag) => !removed.some((isRemoved) => isRemoved(tag))));
  }
  return { return: true };
}

export function describeTags(call: Call): XmlObject {
  const page = pageOf(applyFilters(describedTags(call), call.params, FILTERS), call.params, PAGES, false);
  const items = page.items.map(({ key, value, resourceId, resourceType }) => ({
    resourceId,
    resourceType,
    key,
    value,
  }));
  return { tagSet: items, nextToken: page.nextToken };
}

interface TaggedResource {
  readonly tags: readonly Tag[];
  readonly setTags: (tags: Tag[]) => void;
}

function requestedResources(call: Call): TaggedResource[] {
  const ids = call.params.list("ResourceId");
  if (ids.length === 0) throw missingParameter("ResourceId");
  if (ids.length > RESOURCES_MAX) throw invalidParameterValue(`The maximum number of resources is ${RESOURCES_MAX}.`);
  return ids.map((id) => taggedResource(call, id));
}

function taggedResource(call: Call, id: string): TaggedResource {
  const { volumes, snapshots, images } = call.cloud.state;
  if (id.startsWith("vol-")) {
    const volume = ownVolume(call, volumeId(id));
    return { tags: volume.tags, setTags: (tags) => volumes.put(volume.id, { ...volume, tags }) };
  }
  if (id.startsWith("snap-")) {
    const snapshot = ownSnapshot(call, snapshotId(id));
    return { tags: snapshot.tags, setTags: (tags) => snapshots.put(snapshot.id, { ...snapshot, tags }) };
  }
  if (id.startsWith("ami-")) {
    const image = ownImage(call, imageId(id));
    return { tags: image.tags, setTags: (tags) => images.put(image.id, { ...image, tags }) };
  }
  throw new ApiError("InvalidID", `The ID '${id}' is not valid`);
}

/** A tag without a value is removed whatever its value; with one, even an empty one, only if it is that. */
function removal(params: Params): (tag: Tag) => boolean {
  const key = params.string("Key");
  if (key === undefined) throw missingParameter("Tag.Key");
  const value = params.text("Value");
  return (tag) => tag.key === key && (value === undefined || tag.value === value);
}

interface DescribedTag extends Tag {
  readonly resourceId: string;
  readonly resourceType: TaggableType;
  readonly sequence: number;
  readonly tags: readonly Tag[];
}

function describedTags(call: Call): DescribedTag[] {
  const { cloud, caller, region } = call;
  const isOwn = (record: { id: string; ownerId: string; region: string }) =>
    record.ownerId === caller.accountId && record.region === region && !cloud.faults.holds.isHidden(record.id);
  const described = <T extends { id: string; sequence: number; tags: readonly Tag[] }>(
    type: TaggableType,
    records: T[],
  ) =>
    records.flatMap(({ id, sequence, tags }) =>
      // A resource has at most 50 tags: room for them between two sequence numbers.
      tags.map((tag, index) => ({
        ...tag,
        resourceId: id,
        resourceType: type,
        sequence: sequence * 100 + index,
        tags: [tag],
      })),
    );
  return [
    ...described("volume", ownVolumes(call)),
    ...described(
      "snapshot",
      cloud.state.snapshots
        .values()
        .filter(isOwn)
        .filter(({ state }) => state !== "writing"),
    ),
    ...described("image", cloud.state.images.values().filter(isOwn)),
  ];
}

/** DescribeTags, "Filter.N". */
const FILTERS: FilterTable<DescribedTag> = {
  key: ({ key }) => key,
  "resource-id": ({ resourceId }) => resourceId,
  "resource-type": ({ resourceType }) => resourceType,
  value: ({ value }) => value,
};
