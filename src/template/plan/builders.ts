import type { ProblemList } from "../../base/problems.ts";
import type { SourceLocation } from "../../base/source-location.ts";
import { nearMiss } from "../../base/suggest.ts";
import type { BuilderPlan } from "../build-plan.ts";
import { NO_SOURCE } from "../schema/builder-fields.ts";
import type { Component } from "../schema/component.ts";
import { BUILDERS, type BuilderConfig, PACKER_BUILDERS } from "../schema/components.ts";
import { readObject } from "./check.ts";
import { readType } from "./component-type.ts";
import { type ConformContext, evaluateText } from "./conform.ts";
import { describeValue, type LocatedList, type LocatedObject, memberOf } from "./located-value.ts";
import type { TemplateLanguage } from "./template-language.ts";

type Scope = ConformContext["scope"];

/** A builder whose name is known; its other keys have not been looked at. */
export interface NamedBuilder {
  readonly object: LocatedObject;
  /** Perhaps one that amibake does not have. */
  readonly type: string;
  readonly typeLocation: SourceLocation;
  readonly name: string;
}

/** Finds the builders and their names, which must be unique. */
export function nameBuilders(
  builders: LocatedList,
  { scope, problems }: { scope: Scope; problems: ProblemList },
): NamedBuilder[] {
  const named = new Map<string, NamedBuilder>();
  for (const item of builders.items) {
    if (item.kind !== "object") {
      problems.add(`A builder must be an object, not ${describeValue(item)}`, { location: item.location });
      continue;
    }
    const typeText = readType(item, "builder", problems);
    if (typeText === undefined) continue;
    const nameValue = memberOf(item, "name")?.value;
    const evaluated = nameValue?.kind === "string" ? evaluateText(nameValue, { scope, problems }) : undefined;
    const name = evaluated === undefined || evaluated === "" ? typeText : evaluated;
    if (named.has(name)) {
      problems.add(`Two builds have the name "${name}"`, {
        location: nameValue?.location ?? item.location,
        hint: 'Give each builder a "name" of its own',
      });
      continue;
    }
    const typeLocation = memberOf(item, "type")?.value.location ?? item.location;
    named.set(name, { object: item, name, type: typeText, typeLocation });
  }
  return [...named.values()];
}

/** The builder of a type; `undefined` if amibake has none, which is told. */
export function knownBuilder(
  type: string,
  location: SourceLocation,
  problems: ProblemList,
): keyof typeof BUILDERS | undefined {
  if (isBuilder(type)) return type;
  if (PACKER_BUILDERS.includes(type)) {
    const hint = `There are ${Object.keys(BUILDERS).join(", ")}; -only builds those alone, by their names`;
    problems.add(`The builder "${type}" is one of Packer's that amibake does not have`, { location, hint });
  } else {
    const known = Object.keys(BUILDERS);
    const meant = nearMiss(type, [...known, ...PACKER_BUILDERS]);
    const isOurs = meant !== undefined && known.includes(meant);
    const hint = isOurs ? `Did you mean "${meant}"?` : `There are ${known.join(", ")}`;
    problems.add(`Unknown builder "${type}"`, { location, hint });
  }
  return undefined;
}

export function isBuilder(type: string): type is keyof typeof BUILDERS {
  return Object.hasOwn(BUILDERS, type);
}

// Packer puts these into every configuration itself, and templates may have them too.
const INJECTED_KEY =
  /^packer_(?:build_name|builder_type|core_version|debug|force|on_error|user_variables|sensitive_variables)$/;

export function withoutInjectedKeys(object: LocatedObject): LocatedObject {
  return { ...object, members: object.members.filter(({ key }) => !INJECTED_KEY.test(key)) };
}

/** Reads all of a builder; `undefined` if anything in it is wrong. */
export function readBuilder(
  { object, type }: Pick<NamedBuilder, "object"> & { readonly type: keyof typeof BUILDERS },
  options: ReadBuilderOptions,
): BuilderPlan | undefined {
  if (type === "amazon-direct") {
    const config = readConfig(object, BUILDERS[type], options);
    return config === undefined ? undefined : { type, config };
  }
  const config = readConfig(object, BUILDERS[type], options);
  return config === undefined ? undefined : { type, config };
}

/** As Packer can, and no builder here: the key itself is refused. */
function startsFromNothing(object: LocatedObject): boolean {
  const value = memberOf(object, "from_scratch")?.value;
  return value !== undefined && !(value.kind === "boolean" && !value.value);
}

interface ReadBuilderOptions {
  readonly language: TemplateLanguage;
  readonly scope: Scope;
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
}

function readConfig<Config extends BuilderConfig>(
  object: LocatedObject,
  component: Component<Config>,
  options: ReadBuilderOptions,
): Config | undefined {
  const label = `the builder "${component.type}"`;
  const { config, locate } = readObject(withoutInjectedKeys(object), component.schema, {
    ...options,
    ...component,
    label,
    untold: startsFromNothing(object) ? [NO_SOURCE] : [],
  });
  const filter = config?.source_ami_filter;
  if (filter !== undefined && filter.owners.length === 0 && config?.source_ami === undefined) {
    options.warnings.add('"source_ami_filter" has no "owners": an image of anybody with such a name can be chosen', {
      location: locate(["source_ami_filter"]),
      hint: `Name those you trust: ${options.language.trustedOwners}`,
    });
  }
  return config;
}
