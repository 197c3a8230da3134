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

/** A relative one would be below whatever directory amibake happens to be started in. */
export function mountPathProblem(path: Deferred | undefined): string | undefined {
  // One that cannot be rendered has been told.
  if (path === undefined || path.needs.some((name) => name !== "Device")) return undefined;
  if (path.source === "" || path.render({ Device: "xvdf" }).startsWith("/")) return undefined;
  return `"mount_path" must start with "/", not ${JSON.stringify(path.source)}`;
}

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html, "Tag restrictions": 50, and one is the draft tag.
const TAGS_MAX = 49;

/** @param key under which they stand in the template. */
export function tagsProblem(key: string, tags: readonly TagTemplate[] = []): string | undefined {
  const problem =
    tags.length > TAGS_MAX
      ? `has ${tags.length} tags; ${TAGS_MAX} are allowed, as amibake adds one while it builds`
      : firstOf(tags, tagProblem);
  return problem === undefined ? undefined : `"${key}" ${problem}`;
}

function tagProblem({ key, value }: TagTemplate): string | undefined {
  const name = plannedText(key);
  if (name === "") return "has a tag without a name";
  if (name?.toLowerCase().startsWith("aws:")) return `has "${name}": names that start with "aws:" are kept by AWS`;
  if (name === "amibake:draft") return `has "${name}": amibake marks with it what is not finished`;
  if (name !== undefined && name.length > 128) return `has a name of ${name.length} characters; 128 are allowed`;
  const valueLength = plannedText(value)?.length ?? 0;
  return valueLength > 256
    ? `has a value of ${valueLength} characters for "${key.source}"; 256 are allowed`
    : undefined;
}

function firstOf<T>(items: readonly T[], problemOf: (item: T) => string | undefined): string | undefined {
  return items.map(problemOf).find((problem) => problem !== undefined);
}
