import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import type { HclType, HclValue } from "../values/value.ts";
import { argumentAt, blame } from "./arguments.ts";

/** Whether it is a list or a tuple: what has elements in an order. */
export function isSequence({ type }: HclValue): boolean {
  return type.kind === "list" || type.kind === "tuple";
}

/** Whether nothing at all is known of it, not even its type. */
export function isUntyped({ type, content }: HclValue): boolean {
  return type.kind === "dynamic" && content !== null;
}

/** The argument as one of a type that was found by looking at all of them. @throws {HclFunctionError} */
export function convertAt(args: readonly HclValue[], index: number, type: HclType): HclValue {
  return blame(ConversionError, index, () => convert(argumentAt(args, index), type));
}
