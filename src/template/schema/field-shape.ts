import * as z from "zod/mini";
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
  let isOptional = false;
  while (inner instanceof z.ZodMiniOptional || inner instanceof z.ZodMiniDefault) {
    inner = inner._zod.def.innerType;
    isOptional = true;
  }
  return { inner, isOptional };
}

export function shapeOf(schema: z.core.$ZodType): FieldShape {
  const { inner } = withoutDefault(schema);
  const kind = fieldKinds.get(inner);
  if (kind !== undefined) return kind;
  if (inner instanceof z.ZodMiniObject) return { kind: "object", schema: inner };
  if (inner instanceof z.ZodMiniRecord) return { kind: "record", value: inner._zod.def.valueType };
  if (inner instanceof z.ZodMiniArray) return { kind: "list", element: inner._zod.def.element };
  if (inner instanceof z.ZodMiniTuple) return { kind: "tuple", elements: inner._zod.def.items };
  if (inner instanceof z.ZodMiniNumber) return { kind: "number" };
  if (inner instanceof z.ZodMiniBoolean) return { kind: "boolean" };
  if (inner instanceof z.ZodMiniString || inner instanceof z.ZodMiniEnum || inner instanceof z.ZodMiniLiteral)
    return { kind: "text" };
  throw new TypeError(`A template has no fields of the type "${inner._zod.def.type}"`);
}
