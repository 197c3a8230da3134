import { nearMiss } from "../../base/suggest.ts";
import type { ProvisionerPlan } from "../build-plan.ts";
import { PACKER_PROVISIONERS, PROVISIONERS, PROVISIONERS_NOT_YET } from "../schema/components.ts";
import { type ProvisionerSettings, provisionerSettingsSchema } from "../schema/provisioner-settings.ts";
import type { ProblemList } from "../template-error.ts";
import { readType, withoutInjectedKeys } from "./builders.ts";
import { type ReadObject, readObject } from "./check.ts";
import type { ConformContext } from "./conform.ts";
import { describeJson, type JsonArray, type JsonObject, memberOf } from "./json-value.ts";
import { buildHint } from "./select-builds.ts";
import type { SourceFileChecks } from "./source-file-checks.ts";

export interface ReadProvisionersOptions {
  /** The build they are read for. */
  readonly buildName: string;
  /** Every build of the template, which `only`, `except` and `override` may name. */
  readonly buildNames: readonly string[];
  readonly scope: ConformContext["scope"];
  readonly problems: ProblemList;
  readonly sourceFiles: SourceFileChecks;
}

/** The provisioners of one build, in their order. */
export function readProvisioners(
  provisioners: JsonArray | undefined,
  options: ReadProvisionersOptions,
): ProvisionerPlan[] {
  return (provisioners?.items ?? []).flatMap((item) => {
    if (item.kind === "object") return readProvisioner(item, options) ?? [];
    options.problems.add(`A provisioner must be an object, not ${describeJson(item)}`, { location: item.location });
    return [];
  });
}

function readProvisioner(object: JsonObject, options: ReadProvisionersOptions): ProvisionerPlan | undefined {
  const { problems } = options;
  const type = readType(object, "provisioner", problems);
  if (type === undefined) return undefined;
  if (!isProvisioner(type)) {
    addUnknownType(type, object, problems);
    return undefined;
  }
  const settings = readSettings(object, type, options);
  const own = ownMembers(object, options);
  const plan = readConfig(own, type, options);
  if (plan === undefined || settings === undefined) return undefined;
  const { only, except, pause_before, timeout, max_retries } = settings;
  const applies = (only.length === 0 || only.includes(options.buildName)) && !except.includes(options.buildName);
  if (!applies) return undefined;
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

function addUnknownType(type: string, object: JsonObject, problems: ProblemList): void {
  const location = memberOf(object, "type")?.value.location;
  if (PROVISIONERS_NOT_YET.includes(type)) {
    problems.add(`The provisioner "${type}" is not supported yet`, { location });
  } else if (PACKER_PROVISIONERS.includes(type)) {
    problems.add(`The provisioner "${type}" is one of Packer's that amibake does not have`, { location });
  } else {
    const known = [...Object.keys(PROVISIONERS), ...PROVISIONERS_NOT_YET];
    const meant = nearMiss(type, known);
    const hint = meant === undefined ? `There are ${Object.keys(PROVISIONERS).join(", ")}` : `Did you mean "${meant}"?`;
    problems.add(`Unknown provisioner "${type}"`, { location, hint });
  }
}

const SETTINGS_KEYS = new Set(Object.keys(provisionerSettingsSchema.shape));

function readSettings(
  object: JsonObject,
  type: string,
  options: ReadProvisionersOptions,
): ProvisionerSettings | undefined {
  const { problems, buildNames } = options;
  const members = object.members.filter(({ key }) => SETTINGS_KEYS.has(key));
  const label = `the provisioner "${type}"`;
  const read = readObject({ ...object, members }, provisionerSettingsSchema, { ...options, label, keysNotYet: [] });
  const { only = [], except = [] } = read.config ?? {};
  if (only.length > 0 && except.length > 0) {
    problems.add('"except" cannot stand beside "only"', { location: read.locate(["except"]) });
  }
  for (const [key, names] of [
    ["only", only],
    ["except", except],
  ] as const) {
    names.forEach((name, index) => {
      if (buildNames.includes(name)) return;
      const location = read.locate([key, index]);
      problems.add(`"${key}" names the build "${name}", which does not exist`, {
        location,
        hint: buildHint(name, buildNames),
      });
    });
  }
  return read.config;
}

/** The keys of the provisioner itself, with what `override` says for this build. */
function ownMembers(object: JsonObject, { buildName, buildNames, problems }: ReadProvisionersOptions): JsonObject {
  const isOwn = ({ key }: { key: string }) => key !== "type" && key !== "override" && !SETTINGS_KEYS.has(key);
  const own = object.members.filter(isOwn);
  const override = memberOf(object, "override")?.value;
  if (override === undefined || override.kind === "null") return { ...object, members: own };
  if (override.kind !== "object") {
    problems.add(`"override" must be an object, not ${describeJson(override)}`, { location: override.location });
    return { ...object, members: own };
  }
  for (const { key, keyLocation } of override.members.filter(({ key }) => !buildNames.includes(key))) {
    problems.add(`"override" names the build "${key}", which does not exist`, {
      location: keyLocation,
      hint: buildHint(key, buildNames),
    });
  }
  const changes = memberOf(override, buildName)?.value;
  if (changes === undefined || changes.kind === "null") return { ...object, members: own };
  if (changes.kind !== "object") {
    problems.add(`"override" of "${buildName}" must be an object, not ${describeJson(changes)}`, {
      location: changes.location,
    });
    return { ...object, members: own };
  }
  const kept = own.filter(({ key }) => memberOf(changes, key) === undefined);
  return { ...object, members: [...kept, ...changes.members] };
}

function readConfig(object: JsonObject, type: keyof typeof PROVISIONERS, options: ReadProvisionersOptions) {
  const read = <Config>(component: {
    schema: Parameters<typeof readObject<Config>>[1];
    keysNotYet: readonly string[];
  }): ReadObject<Config> =>
    readObject(withoutInjectedKeys(object), component.schema, {
      ...options,
      label: `the provisioner "${type}"`,
      keysNotYet: component.keysNotYet,
    });
  if (type === "shell") {
    const { config, values, locate } = read(PROVISIONERS.shell);
    options.sourceFiles.addScripts(values, locate);
    return config === undefined ? undefined : { type, config };
  }
  const { config, values, locate } = read(PROVISIONERS.file);
  options.sourceFiles.addUploads(values, locate);
  return config === undefined ? undefined : { type, config };
}
