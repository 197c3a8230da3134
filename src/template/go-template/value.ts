import type { BuildVariables } from "../deferred.ts";
import { type GoValue, sprint } from "../go-format/format.ts";

/** What an expression evaluates to: a value of Go's, or all build variables, which is what the dot is at first. */
export type Value = GoValue | BuildData;

/** The build variables that a text may use, as its dot. */
export class BuildData {
  readonly #variables: BuildVariables;

  constructor(variables: BuildVariables) {
    this.#variables = variables;
  }

  /** A tag that the source image does not have is `null`, as is what has no value. */
  field(name: string): GoValue {
    if (!isMapField(name)) return this.#variables[name] ?? null;
    const entries = Object.entries(this.#variables).filter(([variable]) => variable.startsWith(`${name}.`));
    return new Map(entries.map(([variable, value]) => [variable.slice(name.length + 1), value]));
  }
}

/** Whether `.Name` is a map. Its entries are the build variables `Name.<key>`. */
export function isMapField(name: string): boolean {
  return name === "SourceAMITags";
}

/** What Go prints for a key that a map does not have; Packer's users know it from their tags. */
const NO_VALUE = "<no value>";

/** A value as Go prints it where it stands in a template. */
export function printed(value: Value): string {
  if (value === null || value instanceof BuildData) return NO_VALUE;
  return typeof value === "string" ? value : sprint([value]);
}

/** Whether `if` takes it for true. */
export function isTrue(value: Value): boolean {
  if (value instanceof Map) return value.size > 0;
  return Boolean(value);
}

/** A value in a message. */
export function shown(value: Value): string {
  if (value === null) return "nil";
  if (value instanceof BuildData) return "all build variables";
  return typeof value === "string" ? JSON.stringify(value) : sprint([value]);
}
