import type { ProvisionerPlan } from "../build-plan.ts";
import { PACKER_PROVISIONERS, PROVISIONERS, PROVISIONERS_NOT_YET } from "../schema/components.ts";
import { type ProvisionerSettings, provisionerSettingsSchema } from "../schema/provisioner-settings.ts";
import { type BuildChoiceOptions, checkBuildChoice, isForBuild } from "./build-choice.ts";
import { withoutInjectedKeys } from "./builders.ts";
import { type ReadObject, readObject } from "./check.ts";
import { addUnknownType, readType } from "./component-type.ts";
import type { ConformContext } from "./conform.ts";
import { describeValue, type LocatedList, type LocatedObject, memberOf } from "./located-value.ts";
import { buildHint } from "./select-builds.ts";
import type { SourceFileChecks } from "./source-file-checks.ts";
import type { TemplateLanguage } from "./template-language.ts";
import { WEAK } from "./weak-conversion.ts";

export interface ReadProvisionersOptions extends BuildChoiceOptions {
  /** The build they are read for. */
  readonly buildName: string;
  /** What `override` calls this build. Without it, `buildName`. */
  readonly overrideNames?: readonly string[];
  /** What it calls all builds. Without it, `buildNames`. */
  readonly overrideNamesAll?: readonly string[];
  readonly language: TemplateLanguage;
  readonly scope: ConformContext["scope"];
  readonly sourceFiles: SourceFileChecks;
}

/** The provisioners of one build, in their order. */
export function readProvisioners(
  provisioners: LocatedList | undefined,
  options: ReadProvisionersOptions,
): ProvisionerPlan[] {
  return (provisioners?.items ?? []).flatMap((item) => {
    if (item.kind === "object") return readProvisioner(item, options) ?? [];
    options.problems.add(`A provisioner must be an object, not ${describeValue(item)}`, { location: item.location });
    return [];
  });
}

/** One provisioner; `undefined` if it is not for this build, or wrong. */
export function readProvisioner(object: LocatedObject, options: ReadProvisionersOptions): ProvisionerPlan | undefined {
  const { problems } = options;
  const type = readType(object, "provisioner", problems);
  if (type === undefined) return undefined;
  const settings = readSettings(object, type, options);
  if (!isProvisioner(type)) {
    // It may be for a build of another tool's, in the same template.
    if (settings !== undefined && !isForBuild(settings, options.buildName)) return undefined;
    const others = { known: Object.keys(PROVISIONERS), notYet: PROVISIONERS_NOT_YET, ofPacker: PACKER_PROVISIONERS };
    addUnknownType("provisioner", { type, object, ...others }, problems);
    return undefined;
  }
  const own = ownMembers(object, options);
  const plan = readConfig(own, type, options);
  if (plan === undefined || settings === undefined) return undefined;
  if (!isForBuild(settings, options.buildName)) return undefined;
  const { pause_before, timeout, max_retries } = settings;
  return {
    ...plan,
    location: object.location,
    pauseBeforeMs: pause_before,
    timeoutMs: timeout,
    retriesMax: max_retries,
  };
}

function isProvisioner(type: string): type is keyof typeof PROVISIONERS {
  return Object.hasOwn(PROVISIONERS, type);
}

/** Of every provisioner of Packer's. */
const KEYS_NOT_YET = ["continue_on_error"];

const SETTINGS_KEYS = new Set(Object.keys(provisionerSettingsSchema.shape));

function readSettings(
  object: LocatedObject,
  type: string,
  options: ReadProvisionersOptions,
): ProvisionerSettings | undefined {
  const members = object.members.filter(({ key }) => SETTINGS_KEYS.has(key));
  const label = `the provisioner "${type}"`;
  const read = readObject({ ...object, members }, provisionerSettingsSchema, { ...options, label, keysNotYet: [] });
  checkBuildChoice(read, options);
  return read.config;
}

/** The keys of the provisioner itself, with what `override` says for this build. */
function ownMembers(object: LocatedObject, options: ReadProvisionersOptions): LocatedObject {
  const { problems, unknownBuildNames = problems, overrideNamesAll: known = options.buildNames } = options;
  const names = options.overrideNames ?? [options.buildName];
  const isOwn = ({ key }: { key: string }) => key !== "type" && key !== "override" && !SETTINGS_KEYS.has(key);
  const own = object.members.filter(isOwn);
  const override = memberOf(object, "override")?.value;
  if (override === undefined || override.kind === "null") return { ...object, members: own };
  if (override.kind !== "object") {
    problems.add(`"override" must be an object, not ${describeValue(override)}`, { location: override.location });
    return { ...object, members: own };
  }
  for (const { key, keyLocation } of override.members.filter(({ key }) => !known.includes(key))) {
    unknownBuildNames.add(`"override" names the build "${key}", which does not exist`, {
      location: keyLocation,
      hint: buildHint(key, known),
    });
  }
  const member = names.map((name) => memberOf(override, name)).find((found) => found !== undefined);
  const changes = member?.value;
  if (changes === undefined || changes.kind === "null") return { ...object, members: own };
  if (changes.kind !== "object") {
    problems.add(`"override" of "${member?.key}" must be an object, not ${describeValue(changes)}`, {
      location: changes.location,
    });
    return { ...object, members: own };
  }
  const kept = own.filter(({ key }) => memberOf(changes, key) === undefined);
  for (const { key, keyLocation } of changes.members.filter(({ key }) => SETTINGS_AND_OVERRIDE.includes(key))) {
    problems.add(`"override" cannot change "${key}"`, { location: keyLocation, hint: 'It stands beside "override"' });
  }
  // In HCL2 too, Packer decodes these as it does those of JSON templates.
  const changed = changes.members
    .filter(({ key }) => !SETTINGS_AND_OVERRIDE.includes(key))
    .map((change) => ({ ...change, conversion: WEAK }));
  return { ...object, members: [...kept, ...changed] };
}

/** What may be meant by a key that nobody knows: settings that are there have been read by now. */
const SETTINGS_AND_OVERRIDE = [...SETTINGS_KEYS, "override"];

function readConfig(object: LocatedObject, type: keyof typeof PROVISIONERS, options: ReadProvisionersOptions) {
  const read = <Config>(component: {
    schema: Parameters<typeof readObject<Config>>[1];
    keysNotYet: readonly string[];
  }): ReadObject<Config> =>
    readObject(withoutInjectedKeys(object), component.schema, {
      ...options,
      label: `the provisioner "${type}"`,
      keysNotYet: [...component.keysNotYet, ...KEYS_NOT_YET, ...SETTINGS_AND_OVERRIDE],
    });
  if (type === "shell") {
    const { config, values, locate } = read(PROVISIONERS.shell);
    options.sourceFiles.addScripts(values, locate);
    return config === undefined ? undefined : { type, config };
  }
  if (type === "breakpoint") {
    const { config } = read(PROVISIONERS.breakpoint);
    return config === undefined ? undefined : { type, config };
  }
  const { config, values, locate } = read(PROVISIONERS.file);
  options.sourceFiles.addUploads(values, locate);
  return config === undefined ? undefined : { type, config };
}
