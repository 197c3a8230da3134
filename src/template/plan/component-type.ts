import type { ProblemList } from "../../base/problems.ts";
import { nearMiss } from "../../base/suggest.ts";
import type { Component } from "../schema/component.ts";
import { describeValue, type LocatedObject, memberOf } from "./located-value.ts";

/** The text of the key "type". */
export function readType(
  object: LocatedObject,
  what: Component<unknown>["kind"],
  problems: ProblemList,
): string | undefined {
  const value = memberOf(object, "type")?.value;
  if (value?.kind === "string" && value.value !== "") return value.value;
  const message =
    value === undefined
      ? `The key "type" of a ${what} is missing`
      : `"type" must be a string, not ${describeValue(value)}`;
  problems.add(message, { location: value?.location ?? object.location });
  return undefined;
}

interface UnknownType {
  readonly type: string;
  readonly object: LocatedObject;
  readonly known: readonly string[];
  readonly notYet: readonly string[];
  readonly ofPacker: readonly string[];
}

/** Says what is the matter with a type that amibake does not have. */
export function addUnknownType(
  what: "provisioner" | "post-processor",
  { type, object, known, notYet, ofPacker }: UnknownType,
  problems: ProblemList,
): void {
  const location = memberOf(object, "type")?.value.location ?? object.location;
  const all = `There are ${known.join(", ")}`;
  if (notYet.includes(type)) {
    problems.add(`The ${what} "${type}" is not supported yet`, { location });
  } else if (ofPacker.includes(type)) {
    problems.add(`The ${what} "${type}" is one of Packer's that amibake does not have`, { location, hint: all });
  } else {
    const meant = nearMiss(type, [...known, ...notYet]);
    const hint = meant === undefined ? all : `Did you mean "${meant}"?`;
    problems.add(`Unknown ${what} "${type}"`, { location, hint });
  }
}
