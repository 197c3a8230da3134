import { ApiError, invalidParameterValue, missingParameter } from "../protocol/api-error.ts";
import type { Params } from "../protocol/query-params.ts";
import type { XmlValue } from "../protocol/xml.ts";
import type { Tag } from "../state/records.ts";

// "Tag restrictions", EC2 User Guide.
const TAGS_MAX = 50;
const KEY_LENGTH_MAX = 128;
const VALUE_LENGTH_MAX = 256;

export type TaggableType = "image" | "snapshot" | "volume" | "instance";

/**
 * Tags of `TagSpecification.N` for one kind of resource.
 *
 * @param allowed the kinds that the action makes; any other kind is refused.
 * @throws {ApiError} InvalidParameterValue, TagLimitExceeded.
 */
export function tagSpecifications(params: Params, allowed: readonly TaggableType[]): Map<TaggableType, Tag[]> {
  const result = new Map<TaggableType, Tag[]>();
  for (const specification of params.structures("TagSpecification")) {
    const name = specification.string("ResourceType");
    if (name === undefined) throw missingParameter("TagSpecification.ResourceType");
    const type = allowed.find((candidate) => candidate === name);
    if (type === undefined) {
      throw invalidParameterValue(`'${name}' is not a valid taggable resource type for this operation.`);
    }
    if (result.has(type)) {
      throw invalidParameterValue(`The same resource type may not be specified more than once in tag specifications`);
    }
    const tags = newTags(specification);
    if (tags.length === 0) throw invalidParameterValue("Tag specification must have at least one tag");
    result.set(type, tags);
  }
  return result;
}

/** Reads and checks `Tag.N` of a request that sets tags. */
export function newTags(params: Params): Tag[] {
  const tags = params
    .structures("Tag")
    .map((tag) => ({ key: tag.string("Key") ?? "", value: tag.text("Value") ?? "" }));
  tags.forEach(checkTag);
  const keys = tags.map(({ key }) => key);
  const duplicate = keys.find((key, index) => keys.indexOf(key) !== index);
  if (duplicate !== undefined) throw invalidParameterValue(`Duplicate tag key '${duplicate}' specified.`);
  checkTagCount(tags);
  return tags;
}

/** The tags after adding `added`: a key that exists gets the new value. */
export function mergeTags(existing: readonly Tag[], added: readonly Tag[]): Tag[] {
  const merged = [...new Map([...existing, ...added].map((tag) => [tag.key, tag])).values()];
  checkTagCount(merged);
  return merged;
}

export function tagSet(tags: readonly Tag[]): XmlValue {
  return tags.length === 0 ? undefined : tags.map(({ key, value }) => ({ key, value }));
}

function checkTag({ key, value }: Tag): void {
  if (key === "") throw invalidParameterValue("Tag key cannot be null or empty");
  if (/^aws:/i.test(key)) throw invalidParameterValue("Tag keys starting with 'aws:' are reserved for internal use");
  if (key.length > KEY_LENGTH_MAX)
    throw invalidParameterValue(`Tag key exceeds the maximum length of ${KEY_LENGTH_MAX} characters`);
  if (value.length > VALUE_LENGTH_MAX) {
    throw invalidParameterValue(`Tag value exceeds the maximum length of ${VALUE_LENGTH_MAX} characters`);
  }
}

function checkTagCount(tags: readonly Tag[]): void {
  if (tags.length <= TAGS_MAX) return;
  throw new ApiError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
}
