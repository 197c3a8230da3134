import * as z from "zod";
import { type FieldKind, fieldKinds } from "./fields.ts";

/** A field's schema as its reader sees it. */
export type FieldShape =
  | FieldKind
  | { readonly kind: "text" }
  | { readonly kind: "number" }
  | { readonly kind: "boolean" }
  | { readonly kind: "object"; readonly schema: z.ZodObject }
  | { readonly kind: "record"; readonly value: z.core.$ZodType }
  | { readonly kind: "list"; readonly element: z.core.$ZodType }
  | { readonly kind: "tuple"; readonly elements: readonly z.core.$ZodType[] };

/** Takes off what only says that a key may be missing. */
export function withoutDefault(schema: z.core.$ZodType): { inner: z.core.$ZodType; isOptional: boolean } {
  let inner = schema;
  let isOptional = false;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) {
    inner = inner.unwrap();
    isOptional = true;
  }
  return { inner, isOptional };
}

export function shapeOf(schema: z.core.$ZodType): FieldShape {
  const { inner } = withoutDefault(schema);
  const kind = fieldKinds.get(inner);
  if (kind !== undefined) return kind;
  if (inner instanceof z.ZodObject) return { kind: "object", schema: inner };
  if (inner instanceof z.ZodRecord) return { kind: "record", value: inner.valueType };
  if (inner instanceof z.ZodArray) return { kind: "list", element: inner.element };
  if (inner instanceof z.ZodTuple) return { kind: "tuple", elements: inner.def.items };
  if (inner instanceof z.ZodNumber) return { kind: "number" };
  if (inner instanceof z.ZodBoolean) return { kind: "boolean" };
  if (inner instanceof z.ZodString || inner instanceof z.ZodEnum || inner instanceof z.ZodLiteral)
    return { kind: "text" };
  throw new TypeError(`A template has no fields of the type "${inner._zod.def.type}"`);
}
