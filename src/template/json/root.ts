import {
  describeJson,
  type JsonArray,
  type JsonObject,
  type JsonString,
  type JsonValue,
  memberOf,
} from "../../base/json/json-value.ts";
import { parseJson } from "../../base/json/parse-json.ts";
import type { ProblemList } from "../../base/problems.ts";
import { nearMiss } from "../../base/suggest.ts";
import { hideAssigned } from "../hide-assigned.ts";
import { readType } from "../plan/component-type.ts";
import type { Component } from "../schema/component.ts";
import { ConstraintError, fitsConstraint, PACKER_VERSION } from "../version-constraint.ts";

const KEYS_GONE: Readonly<Record<string, string>> = {
  hooks: "Leave it out: it did nothing since Packer 0.3",
  push: "Leave it out: it was for HashiCorp's Atlas, which is gone",
};

const KINDS = {
  min_packer_version: "string",
  description: "string",
  variables: "object",
  "sensitive-variables": "array",
  builders: "array",
  provisioners: "array",
  "error-cleanup-provisioner": "object",
  "post-processors": "array",
} as const;

const KIND_NAMES = { string: "a string", object: "an object", array: "a list" } as const;

/** The sections of a template, each of the right type if it is there. */
export interface TemplateRoot {
  readonly description: JsonString | undefined;
  readonly variables: JsonObject | undefined;
  readonly sensitiveVariables: JsonArray | undefined;
  readonly builders: JsonArray | undefined;
  readonly provisioners: JsonArray | undefined;
  readonly errorCleanupProvisioner: JsonObject | undefined;
  readonly postProcessors: JsonArray | undefined;
}

/** The names that "sensitive-variables" lists. What is no text there is told by who reads the template. */
export function sensitiveNamesOf(root: TemplateRoot | undefined): Set<string> {
  const items = root?.sensitiveVariables?.items ?? [];
  return new Set(items.flatMap((item) => (item.kind === "string" ? [item.value] : [])));
}

/** The sections of a template's text. @returns `undefined` if it is none; `problems` says why. */
export function parseRoot(file: string, text: string, problems: ProblemList): TemplateRoot | undefined {
  const told = problems.count;
  const root = parseJson(file, text, problems);
  if (problems.count > told) hideSensitive(text, problems);
  return root === undefined ? undefined : readRoot(root, problems);
}

/** By what the text looks like: it could not be parsed as a whole. */
function hideSensitive(text: string, problems: ProblemList): void {
  const [, listed = ""] = /"sensitive-variables"\s*:\s*\[([^\]]*)/.exec(text) ?? [];
  const names = [...listed.matchAll(/"([^"\n]+)"/g)].map(([, name = ""]) => name);
  hideAssigned(text, names, problems);
}

function readRoot(root: JsonValue, problems: ProblemList): TemplateRoot | undefined {
  if (root.kind !== "object") {
    problems.add(`A template must be an object, not ${describeJson(root)}`, { location: root.location });
    return undefined;
  }
  const isBuilder = memberOf(root, "type") !== undefined;
  // Keys that start with an underscore are comments.
  for (const { key, keyLocation } of root.members.filter((member) => !member.key.startsWith("_"))) {
    if (Object.hasOwn(KINDS, key)) continue;
    const hint = Object.hasOwn(KEYS_GONE, key) ? KEYS_GONE[key] : undefined;
    if (hint !== undefined) problems.add(`"${key}" is not part of templates any more`, { location: keyLocation, hint });
    else
      problems.add(`Unknown key "${key}" of the template`, { location: keyLocation, hint: rootHint(key, isBuilder) });
  }
  checkMinimumVersion(root, problems);
  const builders = section(root, "builders", problems);
  const kind = memberOf(root, "builders")?.value.kind;
  if (kind === undefined || kind === "null" || builders?.items.length === 0) {
    problems.add("The template has no builders", { location: builders?.location ?? root.location });
  }
  return {
    description: section(root, "description", problems),
    variables: section(root, "variables", problems),
    sensitiveVariables: section(root, "sensitive-variables", problems),
    builders,
    provisioners: section(root, "provisioners", problems),
    errorCleanupProvisioner: section(root, "error-cleanup-provisioner", problems),
    postProcessors: section(root, "post-processors", problems),
  };
}

function checkMinimumVersion(root: JsonObject, problems: ProblemList): void {
  const minimum = section(root, "min_packer_version", problems);
  if (minimum === undefined || minimum.value === "") return;
  const { location, value } = minimum;
  try {
    if (fitsConstraint(PACKER_VERSION, `>= ${value}`)) return;
    const message = `The template requires Packer ${value}, and amibake reads the templates of ${PACKER_VERSION}`;
    problems.add(message, { location, hint: "Lower it if the template has nothing newer" });
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    const message = `"min_packer_version" must be a version such as "1.6.0", not ${describeJson(minimum)}`;
    problems.add(message, { location });
  }
}

function rootHint(key: string, isBuilder: boolean): string | undefined {
  // The example of the seed page is one builder, without the list around it.
  if (isBuilder) return 'Put the builder in a list: {"builders": [{"type": ...}]}';
  const meant = nearMiss(key, Object.keys(KINDS));
  return meant === undefined ? 'A comment is a key that starts with "_"' : `Did you mean "${meant}"?`;
}

function section<Key extends keyof typeof KINDS>(
  root: JsonObject,
  key: Key,
  problems: ProblemList,
): Extract<JsonValue, { kind: (typeof KINDS)[Key] }> | undefined {
  const value = memberOf(root, key)?.value;
  if (value === undefined || value.kind === "null") return undefined;
  const kind = KINDS[key];
  if (value.kind === kind) return value as Extract<JsonValue, { kind: (typeof KINDS)[Key] }>;
  problems.add(`"${key}" must be ${KIND_NAMES[kind]}, not ${describeJson(value)}`, { location: value.location });
  return undefined;
}

/** The objects of a section, each with its type. */
export function objectsOf(
  section: JsonArray | undefined,
  what: Component<unknown>["kind"],
  problems: ProblemList,
): { object: JsonObject; type: string }[] {
  return (section?.items ?? []).flatMap((item) => {
    if (item.kind === "object") {
      const type = readType(item, what, problems);
      return type === undefined ? [] : [{ object: item, type }];
    }
    problems.add(`A ${what} must be an object, not ${describeJson(item)}`, { location: item.location });
    return [];
  });
}
