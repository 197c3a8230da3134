import type { ProblemList } from "../../base/problems.ts";
import type { PostProcessorPlan } from "../build-plan.ts";
import { PACKER_POST_PROCESSORS, POST_PROCESSORS, POST_PROCESSORS_NOT_YET } from "../schema/components.ts";
import { postProcessorSettingsSchema } from "../schema/post-processor-settings.ts";
import { type BuildChoiceOptions, checkBuildChoice, isForBuild } from "./build-choice.ts";
import { withoutInjectedKeys } from "./builders.ts";
import { readObject } from "./check.ts";
import { addUnknownType, readType } from "./component-type.ts";
import { type ConformContext, evaluateText } from "./conform.ts";
import { describeValue, type LocatedList, type LocatedObject, type LocatedValue, memberOf } from "./located-value.ts";
import type { TemplateLanguage } from "./template-language.ts";

type Scope = ConformContext["scope"];
type PostProcessorType = keyof typeof POST_PROCESSORS;

/** A post-processor whose type and name are known; its other keys have not been looked at. */
export interface NamedPostProcessor {
  readonly object: LocatedObject;
  /** Perhaps one that amibake does not have. */
  readonly type: string;
  /** For `-except`: its `name`, else its type. Several may share one. */
  readonly name: string;
}

/** Finds the post-processors. Each item of the section is a sequence: a list, or one that stands alone. */
export function namePostProcessors(
  section: LocatedList | undefined,
  options: { scope: Scope; problems: ProblemList },
): NamedPostProcessor[][] {
  return (section?.items ?? []).map((item) =>
    (item.kind === "array" ? item.items : [item]).flatMap((value) => namePostProcessor(value, options) ?? []),
  );
}

function namePostProcessor(
  value: LocatedValue,
  { scope, problems }: { scope: Scope; problems: ProblemList },
): NamedPostProcessor | undefined {
  const object = objectOf(value, problems);
  const type = object === undefined ? undefined : readType(object, "post-processor", problems);
  if (object === undefined || type === undefined) return undefined;
  const nameValue = memberOf(object, "name")?.value;
  const name = nameValue?.kind === "string" ? evaluateText(nameValue, { scope, problems }) : undefined;
  return { object, type, name: name || type };
}

/** A text alone is the type of one without settings. */
function objectOf(value: LocatedValue, problems: ProblemList): LocatedObject | undefined {
  const { location } = value;
  switch (value.kind) {
    case "object":
      return value;
    case "string": {
      const type = { key: "type", keyLocation: location, locateInKey: () => location, value };
      return { kind: "object", location, members: [type] };
    }
    case "array":
      problems.add("A list of post-processors cannot hold another list", { location });
      return undefined;
    default:
      problems.add(`A post-processor must be an object, a string or a list, not ${describeValue(value)}`, { location });
      return undefined;
  }
}

function isPostProcessor(type: string): type is PostProcessorType {
  return Object.hasOwn(POST_PROCESSORS, type);
}

export interface ReadPostProcessorsOptions extends BuildChoiceOptions {
  /** The build they are read for. */
  readonly buildName: string;
  /** Names of `-except`. */
  readonly except: readonly string[];
  readonly language: TemplateLanguage;
  readonly scope: Scope;
  readonly warnings: ProblemList;
}

/** The sequences of one build, less what is not for it and what `-except` leaves out. */
export function readPostProcessors(
  sequences: readonly (readonly NamedPostProcessor[])[],
  options: ReadPostProcessorsOptions,
): PostProcessorPlan[][] {
  return sequences
    .map((sequence) => {
      // As in Packer: what comes after the one that is left out would work on what that did not make.
      const excepted = sequence.findIndex(({ name }) => options.except.includes(name));
      const end = excepted < 0 ? sequence.length : excepted;
      const isRead = ({ type }: NamedPostProcessor, index: number) => index < end || isPostProcessor(type);
      const plans = sequence.map((named, index) =>
        isRead(named, index) ? readPostProcessor(named, options) : undefined,
      );
      return plans.slice(0, end).filter((plan) => plan !== undefined);
    })
    .filter((sequence) => sequence.length > 0);
}

const SETTINGS_KEYS = new Set(Object.keys(postProcessorSettingsSchema.shape));

/** One post-processor; `undefined` if it is not for this build, or wrong. */
function readPostProcessor(
  { object, type, name }: NamedPostProcessor,
  options: ReadPostProcessorsOptions,
): PostProcessorPlan | undefined {
  const label = `the post-processor "${type}"`;
  const members = object.members.filter(({ key }) => SETTINGS_KEYS.has(key));
  const settings = readObject({ ...object, members }, postProcessorSettingsSchema, {
    ...options,
    label,
    keysNotYet: [],
  });
  checkBuildChoice(settings, options);
  if (!isPostProcessor(type)) {
    // It may be for a build of another tool's, in the same template.
    if (settings.config !== undefined && !isForBuild(settings.config, options.buildName)) return undefined;
    const known = Object.keys(POST_PROCESSORS);
    const others = { known, notYet: POST_PROCESSORS_NOT_YET, ofPacker: PACKER_POST_PROCESSORS };
    addUnknownType("post-processor", { type, object, ...others }, options.problems);
    return undefined;
  }
  if (settings.config?.keep_input_artifact === false) {
    options.warnings.add(`"keep_input_artifact" of ${label} has no effect: it keeps the image, as in Packer`, {
      location: settings.locate(["keep_input_artifact"]),
      hint: "Leave it out",
    });
  }
  const own = object.members.filter(({ key }) => key !== "type" && !SETTINGS_KEYS.has(key));
  const { schema, keysNotYet } = POST_PROCESSORS[type];
  const { config } = readObject(withoutInjectedKeys({ ...object, members: own }), schema, {
    ...options,
    label,
    // The settings, too, may be meant. Those that are there have been read by now.
    keysNotYet: [...keysNotYet, ...SETTINGS_KEYS],
  });
  if (settings.config === undefined || config === undefined) return undefined;
  return isForBuild(settings.config, options.buildName) ? { type, name, config, location: object.location } : undefined;
}
