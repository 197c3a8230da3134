import { nearMiss } from "../../base/suggest.ts";
import type { AmazonChrootConfig } from "../schema/amazon-chroot.ts";
import { BUILDERS, BUILDERS_NOT_YET, PACKER_BUILDERS } from "../schema/components.ts";
import type { ProblemList } from "../template-error.ts";
import { type ReadObject, readObject } from "./check.ts";
import { type ConformContext, evaluateText } from "./conform.ts";
import { describeJson, type JsonArray, type JsonObject, memberOf } from "./json-value.ts";

type Scope = ConformContext["scope"];

/** A builder whose type and name are known; its other keys have not been looked at. */
export interface NamedBuilder {
  readonly object: JsonObject;
  /** Missing if amibake has no such builder, which has been told. */
  readonly type: keyof typeof BUILDERS | undefined;
  readonly name: string;
}

/** Finds the builders and their names, which must be unique. */
export function nameBuilders(
  builders: JsonArray,
  { scope, problems }: { scope: Scope; problems: ProblemList },
): NamedBuilder[] {
  const named: NamedBuilder[] = [];
  for (const item of builders.items) {
    if (item.kind !== "object") {
      problems.add(`A builder must be an object, not ${describeJson(item)}`, { location: item.location });
      continue;
    }
    const typeText = readType(item, "builder", problems);
    if (typeText === undefined) continue;
    const nameValue = memberOf(item, "name")?.value;
    const evaluated = nameValue?.kind === "string" ? evaluateText(nameValue, { scope, problems }) : undefined;
    const name = evaluated === undefined || evaluated === "" ? typeText : evaluated;
    if (named.some((other) => other.name === name)) {
      problems.add(`Two builds have the name "${name}"`, {
        location: nameValue?.location ?? item.location,
        hint: 'Give each builder a "name" of its own',
      });
      continue;
    }
    named.push({ object: item, name, type: knownBuilder(typeText, item, problems) });
  }
  return named;
}

/** The text of the key "type". */
export function readType(
  object: JsonObject,
  what: "builder" | "provisioner",
  problems: ProblemList,
): string | undefined {
  const value = memberOf(object, "type")?.value;
  if (value?.kind === "string" && value.value !== "") return value.value;
  const message =
    value === undefined
      ? `The key "type" of a ${what} is missing`
      : `"type" must be a string, not ${describeJson(value)}`;
  problems.add(message, { location: value?.location ?? object.location });
  return undefined;
}

function knownBuilder(type: string, object: JsonObject, problems: ProblemList): keyof typeof BUILDERS | undefined {
  if (isBuilder(type)) return type;
  const location = memberOf(object, "type")?.value.location;
  if (BUILDERS_NOT_YET.includes(type)) problems.add(`The builder "${type}" is not supported yet`, { location });
  else if (PACKER_BUILDERS.includes(type)) {
    problems.add(`The builder "${type}" is one of Packer's that amibake does not have`, { location });
  } else {
    const known = Object.keys(BUILDERS);
    const meant = nearMiss(type, [...known, ...PACKER_BUILDERS]);
    const hint = `Did you mean "${meant !== undefined && known.includes(meant) ? meant : known[0]}"?`;
    problems.add(`Unknown builder "${type}"`, { location, hint });
  }
  return undefined;
}

function isBuilder(type: string): type is keyof typeof BUILDERS {
  return Object.hasOwn(BUILDERS, type);
}

// Packer puts these into every configuration itself, and templates may have them too.
const INJECTED_KEY =
  /^packer_(?:build_name|builder_type|core_version|debug|force|on_error|user_variables|sensitive_variables)$/;

export function withoutInjectedKeys(object: JsonObject): JsonObject {
  return { ...object, members: object.members.filter(({ key }) => !INJECTED_KEY.test(key)) };
}

/** Reads all of a builder. */
export function readBuilder(
  { object, type }: NamedBuilder & { type: keyof typeof BUILDERS },
  options: { scope: Scope; problems: ProblemList; warnings: ProblemList },
): ReadObject<AmazonChrootConfig> {
  const { schema, keysNotYet } = BUILDERS[type];
  const label = `the builder "${type}"`;
  const read = readObject(withoutInjectedKeys(object), schema, { ...options, label, keysNotYet });
  const filter = read.config?.source_ami_filter;
  if (filter !== undefined && filter.owners.length === 0 && read.config?.source_ami === undefined) {
    options.warnings.add('"source_ami_filter" has no "owners": an image of anybody with such a name can be chosen', {
      location: read.locate(["source_ami_filter"]),
      hint: 'Name those you trust: "owners": ["self"]',
    });
  }
  return read;
}
