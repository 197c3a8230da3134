// A key of a template as JSON Schema: the schema of its value, less what a template expression may become, and with the weak
// conversion of the reader (src/template/plan/weak-conversion.ts): "true" for true, 5 for "5", "a,b" for a list, null for no key.
import * as z from "zod/mini";
import { GO_BOOLEANS } from "../../base/go-booleans.ts";
import { type FieldShape, shapeOf, withoutDefault } from "../schema/field-shape.ts";
import { descriptionOf } from "../schema/fields.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A text with an expression in it may become anything. */
const EXPRESSION: JsonSchema = { type: "string", pattern: "\\{\\{" };
// As Go's strconv.ParseInt, or with a fraction, which stands for a whole number if it is zero.
const NUMBER_TEXT = "^[+-]?(?:\\d+(?:\\.\\d+)?|0[oO][0-7]+|0[xX][\\dA-Fa-f]+|0[bB][01]+)$";
/** What becomes a text. */
const TEXTS = ["string", "number", "boolean"];
const BOOLEAN_TEXTS = ["", ...GO_BOOLEANS.keys()];
const DURATION_PATTERN = "^(?:0|\\+?(?:(?:\\d+\\.?\\d*|\\.\\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$";

/** The properties of an object, and which of them must be there. */
export function objectSchema(schema: z.ZodMiniObject, more: JsonSchema = {}): JsonSchema {
  const fields = Object.entries(schema.shape) as [string, z.core.$ZodType][];
  const required = fields.filter(([, field]) => !withoutDefault(field).isOptional).map(([key]) => key);
  return {
    type: "object",
    properties: Object.fromEntries(fields.map(([key, field]) => [key, fieldSchema(field)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    ...more,
  };
}

function fieldSchema(field: z.core.$ZodType): JsonSchema {
  const { isOptional } = withoutDefault(field);
  const alternatives = valueSchemas(field);
  // As no key at all: null, an empty text and zero.
  const none = isOptional ? [{ enum: [null, "", 0] }] : [];
  return { ...annotations(field), ...oneOfMany([...alternatives, ...none]) };
}

function annotations(field: z.core.$ZodType): JsonSchema {
  const description = descriptionOf(field);
  const value = defaultOf(field);
  return {
    ...(description === undefined ? {} : { description: plain(description), markdownDescription: description }),
    ...(value === undefined ? {} : { default: value }),
  };
}

/** Without the marks of Markdown, which not every editor renders. */
function plain(description: string): string {
  return description.replaceAll("`", "");
}

/** As it would be written in a template. */
function defaultOf(field: z.core.$ZodType): unknown {
  const { def } = field._zod;
  if (def.type !== "default") return undefined;
  const value = (def as z.core.$ZodDefaultDef).defaultValue;
  if (shapeOf(field).kind === "duration") return durationText(Number(value));
  if (shapeOf(field).kind === "tags") return {};
  const isDeferred = typeof value === "object" && value !== null && "source" in value;
  return isDeferred ? value.source : value;
}

/** "5m", "1s": a length of time as a template has it. */
export function durationText(durationMs: number): string {
  return durationMs % 60_000 === 0 && durationMs > 0 ? `${durationMs / 60_000}m` : `${durationMs / 1000}s`;
}

function oneOfMany(alternatives: readonly JsonSchema[]): JsonSchema {
  const [only] = alternatives;
  return alternatives.length === 1 && only !== undefined ? only : { anyOf: alternatives };
}

/** What a value may be; the first is how it is usually written. */
function valueSchemas(field: z.core.$ZodType): JsonSchema[] {
  const shape = shapeOf(field);
  switch (shape.kind) {
    case "text":
      return textSchemas(withoutDefault(field).inner);
    case "number": {
      const { type, ...limits } = checksOf(withoutDefault(field).inner);
      return [{ type, ...limits }, { type: "string", pattern: NUMBER_TEXT }, EXPRESSION];
    }
    case "boolean":
      return [{ type: "boolean" }, { enum: [0, 1] }, { enum: BOOLEAN_TEXTS }, EXPRESSION];
    case "duration":
      return [{ type: "string", pattern: DURATION_PATTERN }, { enum: ["", 0] }, EXPRESSION];
    case "deferred":
      return [{ type: TEXTS }];
    case "tags":
      return [{ type: "object", additionalProperties: { type: TEXTS } }];
    case "object":
      return [objectSchema(shape.schema)];
    case "record":
      return [{ type: "object", additionalProperties: oneOfMany(valueSchemas(shape.value)) }];
    case "tuple":
      return [tupleSchema(shape)];
    case "list":
      return listSchemas(shape);
  }
}

function textSchemas(inner: z.core.$ZodType): JsonSchema[] {
  const checks = checksOf(inner);
  const { type: _type, ...rest } = checks;
  if (Object.keys(rest).length === 0) return [{ type: TEXTS }];
  // The number becomes a text before it is judged.
  const isNumberFitting = z.safeParse(inner, "123456789012").success;
  const number = isNumberFitting || z.safeParse(inner, "1").success ? [{ type: "number" }] : [];
  const booleans = [true, false].filter((value) => z.safeParse(inner, value ? "1" : "0").success);
  const boolean = booleans.length === 0 ? [] : [{ enum: booleans }];
  return [checks, ...number, ...boolean, EXPRESSION];
}

function tupleSchema({ elements }: Extract<FieldShape, { kind: "tuple" }>): JsonSchema {
  const items = elements.map((element) => oneOfMany(valueSchemas(element)));
  return { type: "array", items, minItems: items.length, maxItems: items.length };
}

function listSchemas({ element }: Extract<FieldShape, { kind: "list" }>): JsonSchema[] {
  const list = { type: "array", items: oneOfMany(valueSchemas(element)) };
  const { kind } = shapeOf(element);
  // One text is a list of what stands between its commas.
  if (kind === "deferred" || kind === "text") return [list, { type: TEXTS }];
  if (kind === "number") return [list, { type: ["string", "number"] }];
  return [list];
}

/** What zod itself says of a text or a number: its type, limits, pattern and choices. */
function checksOf(inner: z.core.$ZodType): JsonSchema & { type?: unknown } {
  const checks = z.toJSONSchema(inner, { target: "draft-7", io: "input" });
  delete checks.$schema;
  delete checks.description;
  // A word of zod's own; the pattern says the same.
  delete checks.format;
  // The largest whole number there is: no limit that anybody set.
  if (checks.maximum === Number.MAX_SAFE_INTEGER) delete checks.maximum;
  if (checks.minimum === Number.MIN_SAFE_INTEGER) delete checks.minimum;
  return checks;
}
