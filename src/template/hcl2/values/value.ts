// The values of HCL2 expressions, and their types: those of cty, which Packer evaluates with.
import type { Rational } from "./rational.ts";

export type HclType =
  | { readonly kind: "string" | "number" | "bool" }
  /** `any`, and the type of `null` and of what is not known at all. */
  | { readonly kind: "dynamic" }
  | { readonly kind: "list" | "set" | "map"; readonly element: HclType }
  | { readonly kind: "tuple"; readonly elements: readonly HclType[] }
  | {
      readonly kind: "object";
      readonly attributes: ReadonlyMap<string, HclType>;
      /** Attributes that a value may leave out, with what is then there: null without a default. Of type constraints only. */
      readonly optional?: ReadonlyMap<string, HclValue | undefined>;
    };

/** A value. `null` and "unknown" have a type too. */
export interface HclValue {
  readonly type: HclType;
  /**
   * By the kind of `type`: text, number, true or false; elements of a list, a tuple, and of a set, where they are sorted and
   * each is there once; entries of a map or an object, sorted by key.
   */
  readonly content: string | Rational | boolean | readonly HclValue[] | ReadonlyMap<string, HclValue> | null | Unknown;
}

/** Of a value that is known only while a build runs, such as `build.ID`. */
export const UNKNOWN: unique symbol = Symbol("unknown");
export type Unknown = typeof UNKNOWN;

export const STRING: HclType = { kind: "string" };
export const NUMBER: HclType = { kind: "number" };
export const BOOL: HclType = { kind: "bool" };
export const DYNAMIC: HclType = { kind: "dynamic" };
