import type * as z from "zod/mini";
import type { SourceLocation } from "../../base/source-location.ts";
import { nearMiss } from "../../base/suggest.ts";
import { type ConformContext, conformObject, type FieldPath, pathKey, showPath } from "./conform.ts";
import type { LocatedObject } from "./located-value.ts";
import type { TemplateLanguage } from "./template-language.ts";
import { containsWrong, leadsToWrong } from "./wrong-value.ts";

export interface ReadObjectOptions {
  /** What the object is, for messages: `the builder "amazon-chroot"`. */
  readonly label: string;
  readonly keysNotYet: readonly string[];
  readonly keysRefused?: Readonly<Record<string, string>> | undefined;
  /** What the schema may find wrong and is not told: another problem has said why. */
  readonly untold?: readonly string[] | undefined;
  /** In which the object is written. */
  readonly language: TemplateLanguage;
  readonly scope: ConformContext["scope"];
  readonly problems: ConformContext["problems"];
}

export interface ReadObject<Config> {
  /** Missing if anything in it is wrong. */
  readonly config: Config | undefined;
  /** What could be read, before the schema judged it: for checks that go on although something is wrong. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where a value stands, or what is around it if it is not there. */
  readonly locate: (path: FieldPath) => SourceLocation;
}

/** Reads an object by its schema. Everything wrong with it goes to `problems`. */
export function readObject<Config>(
  object: LocatedObject,
  schema: z.ZodMiniObject & z.ZodMiniType<Config>,
  options: ReadObjectOptions,
): ReadObject<Config> {
  const { problems, scope, language } = options;
  const locations = new Map<string, SourceLocation>();
  let hasUnknownKey = false;
  const value = conformObject(object, schema, [], {
    conversion: language.conversion,
    scope,
    problems,
    locations,
    onUnknownKey(key, location, path, known) {
      hasUnknownKey = true;
      addUnknownKey({ key, location, path, known }, options);
    },
  });
  const locate = (path: FieldPath): SourceLocation => {
    for (let length = path.length; length > 0; length--) {
      const location = locations.get(pathKey(path.slice(0, length)));
      if (location !== undefined) return location;
    }
    return object.location;
  };
  const parsed = schema.safeParse(value, { reportInput: true });
  const issues = parsed.success ? [] : parsed.error.issues.filter((issue) => !leadsToWrong(value, issue.path));
  for (const issue of issues) {
    const { message, hint } = describeIssue(issue, { options, isThere: locations.has(pathKey(fieldPath(issue.path))) });
    if (options.untold?.includes(message)) continue;
    problems.add(message, { location: locate(fieldPath(issue.path)), hint });
  }
  const isGood = parsed.success && !hasUnknownKey && !containsWrong(value);
  return { config: isGood ? parsed.data : undefined, values: value, locate };
}

interface UnknownKey {
  readonly key: string;
  readonly location: SourceLocation;
  readonly path: FieldPath;
  readonly known: readonly string[];
}

function addUnknownKey(
  { key, location, path, known }: UnknownKey,
  { label, keysNotYet, keysRefused = {}, problems }: ReadObjectOptions,
): void {
  const isRoot = path.length === 0;
  const where = isRoot ? label : `"${showPath(path)}"`;
  if (isRoot && keysNotYet.includes(key)) {
    problems.add(`"${key}" of ${where} is not supported yet`, { location });
    return;
  }
  if (isRoot && Object.hasOwn(keysRefused, key)) {
    problems.add(`"${key}" cannot be a key of ${where}: ${keysRefused[key]}`, { location, hint: "Leave it out" });
    return;
  }
  const meant = nearMiss(key, isRoot ? [...known, ...keysNotYet] : known);
  const hint = meant === undefined ? undefined : `Did you mean "${meant}"?`;
  problems.add(`Unknown key "${key}" of ${where}`, { location, hint });
}

type Issue = z.core.$ZodIssue;

function fieldPath(path: readonly PropertyKey[]): FieldPath {
  return path.filter((part) => typeof part !== "symbol");
}

function describeIssue(
  issue: Issue,
  { options, isThere }: { options: ReadObjectOptions; isThere: boolean },
): { message: string; hint?: string | undefined } {
  const path = fieldPath(issue.path);
  const name = `"${showPath(path)}"`;
  const input = typeof issue.input === "number" ? String(issue.input) : JSON.stringify(issue.input);
  const actual = input === undefined ? "" : `, not ${input}`;
  const isMissing = !isThere && path.length > 0 && issue.message.startsWith("Invalid");
  if (isMissing) {
    const around = path.length === 1 ? options.label : `"${showPath(path.slice(0, -1))}"`;
    return { message: `The key "${String(path.at(-1))}" of ${around} is missing` };
  }
  switch (issue.code) {
    case "too_small":
      return { message: `${name} must be at least ${issue.minimum}${actual}` };
    case "too_big":
      return { message: `${name} must be at most ${issue.maximum}${actual}` };
    case "invalid_type":
      if (typeof issue.input === "number" && !Number.isFinite(issue.input)) {
        return { message: `${name} is ${issue.input < 0 ? "below" : "above"} what a number can be` };
      }
      return {
        message: `${name} must be ${issue.expected === "int" ? "a whole number" : `a ${issue.expected}`}${actual}`,
      };
    case "invalid_value": {
      const meant = nearMiss(String(issue.input), issue.values.map(String));
      const wanted = issue.values.map((value) => JSON.stringify(value)).join(" or ");
      return {
        message: `${name} must be ${wanted}${actual}`,
        hint: meant === undefined ? undefined : `Did you mean "${meant}"?`,
      };
    }
    case "invalid_format":
      return { message: `${name} ${issue.message}${actual}` };
    default:
      return { message: issue.message };
  }
}
