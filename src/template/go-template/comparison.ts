import { compareText } from "../go-format/compare-text.ts";
import type { GoValue } from "../go-format/format.ts";
import { goTypeName } from "../go-format/format-value.ts";
import { TemplateFunctionError } from "./template-function.ts";

/** Whether a value equals one of the others. What is not there equals only what is not there. */
export function equalsAny(value: GoValue, others: readonly GoValue[]): boolean {
  // Each is looked at, so that a mistake does not depend on the values before it.
  return others.reduce((isFound: boolean, other) => isFound || equals(value, other), false);
}

function equals(a: GoValue, b: GoValue): boolean {
  if (a instanceof Map || b instanceof Map) throw new TemplateFunctionError("Maps cannot be compared");
  if (a === null || b === null) return a === b;
  checkSameType(a, b);
  return a === b;
}

/** Below zero if the first is less. */
export function compareValues(a: GoValue, b: GoValue): number {
  if (a === null || b === null || typeof a === "boolean" || a instanceof Map) {
    throw new TemplateFunctionError(`${goTypeName(a)} and ${goTypeName(b)} have no order`, {
      hint: "Texts, whole numbers and fractions have one",
    });
  }
  checkSameType(a, b);
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkSameType(a: GoValue, b: GoValue): void {
  if (typeof a === typeof b) return;
  throw new TemplateFunctionError(`Cannot compare ${goTypeName(a)} with ${goTypeName(b)}`);
}
