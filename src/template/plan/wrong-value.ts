import type { Deferred } from "../deferred.ts";
import type { FieldShape } from "../schema/field-shape.ts";

/** The value is wrong and has been told; it stands in so that nothing else is said about it. */
export const WRONG: Deferred = {
  source: "",
  needs: ["(wrong)"],
  render() {
    throw new TypeError("A value with a problem cannot be rendered");
  },
};

/** A wrong value that rules over several keys can look at as if it were of the right type. */
export function wrongOf(kind: FieldShape["kind"]): unknown {
  if (kind === "list") return [WRONG];
  return kind === "tags" ? [{ key: WRONG, value: WRONG }] : WRONG;
}

/** Whether `path` leads to, or through, a value whose own problem has been told. */
export function leadsToWrong(root: unknown, path: readonly PropertyKey[]): boolean {
  let value = root;
  for (const part of path) {
    if (value === WRONG) return true;
    if (typeof value !== "object" || value === null) return false;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value === WRONG;
}

export function containsWrong(value: unknown): boolean {
  if (value === WRONG) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(containsWrong);
}
