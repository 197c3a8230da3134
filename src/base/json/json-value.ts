import type { SourceLocation } from "../source-location.ts";

/** A JSON value with the place where it stands. */
export type JsonValue = JsonObject | JsonArray | JsonString | JsonNumber | JsonBoolean | JsonNull;

interface Located {
  readonly location: SourceLocation;
}

export interface JsonObject extends Located {
  readonly kind: "object";
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly key: string;
  readonly keyLocation: SourceLocation;
  /** The place of a character of the key, by its offset in UTF-16 code units. */
  readonly locateInKey: (offset: number) => SourceLocation;
  readonly value: JsonValue;
}

export interface JsonArray extends Located {
  readonly kind: "array";
  readonly items: readonly JsonValue[];
}

export interface JsonString extends Located {
  readonly kind: "string";
  readonly value: string;
  /** The place of a character of the string, by its offset in UTF-16 code units. */
  readonly locate: (offset: number) => SourceLocation;
}

export interface JsonNumber extends Located {
  readonly kind: "number";
  readonly value: number;
  /** As written: `012` cannot be, but `1e3` and `1.0` can. */
  readonly text: string;
}

export interface JsonBoolean extends Located {
  readonly kind: "boolean";
  readonly value: boolean;
}

export interface JsonNull extends Located {
  readonly kind: "null";
}

/** The member of an object, or `undefined`. */
export function memberOf(object: JsonObject, key: string): JsonMember | undefined {
  return object.members.find((member) => member.key === key);
}

/** "a list", "the string "x"": a value in a message. */
export function describeJson(value: JsonValue): string {
  switch (value.kind) {
    case "object":
      return "an object";
    case "array":
      return "a list";
    case "string":
      return JSON.stringify(value.value);
    case "number":
      return value.text;
    case "boolean":
      return String(value.value);
    case "null":
      return "null";
  }
}
