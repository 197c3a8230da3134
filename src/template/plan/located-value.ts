// What a template says, each value with the place where it stands: what the readers of both languages give, and what the
// schemas are asked about.
import {
  describeJson,
  type JsonBoolean,
  type JsonMember,
  type JsonNull,
  type JsonNumber,
  type JsonString,
} from "../../base/json/json-value.ts";
import type { SourceLocation } from "../../base/source-location.ts";
import type { BuildVariables } from "../deferred.ts";
import type { Conversion } from "./conversion.ts";

/** A JSON value is one too. */
export type LocatedValue =
  | LocatedObject
  | LocatedList
  | JsonString
  | JsonNumber
  | JsonBoolean
  | JsonNull
  | RuntimeValue
  | Unevaluated;

export interface LocatedObject {
  readonly kind: "object";
  readonly location: SourceLocation;
  readonly members: readonly LocatedMember[];
}

export interface LocatedMember extends Omit<JsonMember, "value"> {
  readonly value: LocatedValue;
  /** How the value is converted, if not as the template's language does. */
  readonly conversion?: Conversion | undefined;
}

export interface LocatedList {
  readonly kind: "array";
  readonly location: SourceLocation;
  readonly items: readonly LocatedValue[];
}

/** What the template's own language leaves open until a build runs: `"${build.MountPath}/etc"`. */
export interface RuntimeValue {
  readonly kind: "runtime";
  readonly location: SourceLocation;
  /** As written, for messages. */
  readonly source: string;
  /** The build variables that it uses; at least one. */
  readonly needs: readonly string[];
  /** Missing if it cannot be a text. */
  readonly text?: RuntimeTexts;
  /** Missing if it cannot be a list. */
  readonly list?: RuntimeTexts;
}

/** A text, or the items of a list. */
export interface RuntimeTexts {
  /**
   * What there is if every build variable is a word. What stands between them is checked in it. Missing if that gives none.
   */
  readonly sample: () => readonly string[] | undefined;
  /** @throws {ToolError} if the template's language refuses it with these. */
  readonly render: (variables: BuildVariables) => readonly string[];
}

/** What depends on a data source that nobody has asked: nothing can be said of it. */
export interface Unevaluated {
  readonly kind: "unevaluated";
  readonly location: SourceLocation;
}

/** The member of an object, or `undefined`. */
export function memberOf(object: LocatedObject, key: string): LocatedMember | undefined {
  return object.members.find((member) => member.key === key);
}

/** "a list", "the string "x"": a value in a message. */
export function describeValue(value: LocatedValue): string {
  switch (value.kind) {
    case "object":
      return "an object";
    case "array":
      return "a list";
    case "runtime":
      return value.text === undefined
        ? "a list or an object"
        : `${value.source}, which is known only while the build runs`;
    case "unevaluated":
      return "a value of a data source that has not been asked";
    default:
      return describeJson(value);
  }
}
