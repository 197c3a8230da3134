import type { Tag } from "../state/records.ts";
import { invalid, unreadable } from "./ebs-errors.ts";

// The model of the EBS direct APIs allows one character less than EC2.
const KEY_LENGTH_MAX = 127;
const VALUE_LENGTH_MAX = 255;
const TAGS_MAX = 50;

/** @throws {ApiError} ValidationException, INVALID_TAG. */
export function requestedTags(json: unknown): Tag[] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json)) throw unreadable("'Tags' can not be converted to a List");
  const tags = json.map(readTag);
  if (tags.length > TAGS_MAX) throw invalid("INVALID_TAG", `A snapshot can have ${TAGS_MAX} tags, not ${tags.length}.`);
  const keys = tags.map(({ key }) => key);
  const duplicate = keys.find((key, index) => keys.indexOf(key) !== index);
  if (duplicate !== undefined) throw invalid("INVALID_TAG", `The tag key '${duplicate}' is there twice.`);
  return tags;
}

function readTag(json: unknown): Tag {
  const { Key: key, Value: value = "" } = (json ?? {}) as { Key?: unknown; Value?: unknown };
  if (typeof key !== "string" || typeof value !== "string") throw unreadable("A tag has a 'Key' and a 'Value'");
  if (key === "" || key.length > KEY_LENGTH_MAX) {
    throw invalid("INVALID_TAG", `The tag key '${key}' must have 1 to ${KEY_LENGTH_MAX} characters.`);
  }
  if (/^aws:/i.test(key)) throw invalid("INVALID_TAG", "Tag keys starting with 'aws:' are reserved for internal use.");
  if (value.length > VALUE_LENGTH_MAX) {
    throw invalid("INVALID_TAG", `The value of the tag '${key}' must have at most ${VALUE_LENGTH_MAX} characters.`);
  }
  return { key, value };
}
