import type * as z from "zod/mini";
import { type FieldKind, fieldKinds } from "./fields.ts";

/** A field's schema as its reader sees it. */
export type FieldShape =
  | FieldKind
  | { readonly kind: "text" }
  | { readonly kind: "number" }
  | { readonly kind: "boolean" }
  | { readonly kind: "object"; readonly schema: z.ZodMiniObject }
  | { readonly kind: "record"; readonly value: z.core.$ZodType }
  | { readonly kind: "list"; readonly element: z.core.$ZodType }
  | { readonly kind: "tuple"; readonly elements: readonly z.core.$ZodType[] };

/** Takes off what only says that a key may be missing. */
export function withoutDefault(schema: z.core.$ZodType): { inner: z.core.$ZodType; isOptional: boolean } {
  let inner = schema;
  for (;;) {
    const def = defOf(inner);
    if (def.type !== "optional" && def.type !== "default") return { inner, isOptional: inner !== schema };
    inner = def.innerType;
  }
}

export function shapeOf(schema: z.core.$ZodType): FieldShape {
  const { inner } = withoutDefault(schema);
  const kind = fieldKinds.get(inner);
  if (kind !== undefined) return kind;
  const def = defOf(inner);
  switch (def.type) {
    case "object":
      return { kind: "object", schema: inner as z.ZodMiniObject };
    case "record":
      return { kind: "record", value: def.valueType };
    case "array":
      return { kind: "list", element: def.element };
    case "tuple":
      return { kind: "tuple", elements: def.items };
    case "number":
    case "boolean":
      return { kind: def.type };
    case "string":
    case "enum":
    case "literal":
      return { kind: "text" };
    default:
      throw new TypeError(`A template has no fields of the type "${def.type}"`);
  }
}

/** Told apart by `type`: zod's `instanceof` looks through a set of names, and this is asked for each value. */
function defOf(schema: z.core.$ZodType) {
  return (schema as z.core.$ZodTypes)._zod.def;
}
