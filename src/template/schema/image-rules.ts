// What EC2 would refuse only when everything has been built.
import type { Deferred } from "../deferred.ts";
import { plannedText, type TagTemplate } from "./fields.ts";

/** The names that RegisterImage takes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html */
export function imageNameProblem(name: Deferred | undefined): string | undefined {
  const text = plannedText(name);
  if (text === undefined) return undefined;
  const length = [...text].length;
  if (length < 3 || length > 128)
    return `"ami_name" must have 3 to 128 characters, not the ${length} of ${JSON.stringify(text)}`;
  const wrong = [...new Set(text.match(/[^A-Za-z0-9()[\] ./\-'@_]/gu))];
  if (wrong.length === 0) return undefined;
  return `"ami_name" cannot contain ${wrong.map((character) => JSON.stringify(character)).join(", ")}: it is ${JSON.stringify(text)}`;
}

export function descriptionProblem(description: Deferred | undefined): string | undefined {
  const length = plannedText(description)?.length ?? 0;
  return length > 255 ? `"ami_description" must have at most 255 characters, not ${length}` : undefined;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html, "Tag restrictions" */
export function tagsProblem(key: string, tags: readonly TagTemplate[] | undefined = []): string | undefined {
  if (tags.length > 50) return `"${key}" must have at most 50 tags, not ${tags.length}`;
  for (const tag of tags) {
    const name = plannedText(tag.key);
    if (name?.toLowerCase().startsWith("aws:"))
      return `"${key}" has "${name}": names that start with "aws:" are kept by AWS`;
    if (name === "") return `"${key}" has a tag without a name`;
    if (name !== undefined && name.length > 128)
      return `"${key}" has a name of ${name.length} characters; 128 are allowed`;
    const valueLength = plannedText(tag.value)?.length ?? 0;
    if (valueLength > 256)
      return `"${key}" has a value of ${valueLength} characters for "${tag.key.source}"; 256 are allowed`;
  }
  return undefined;
}
