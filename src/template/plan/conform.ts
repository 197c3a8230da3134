// From a value of a template to what a schema expects: template strings are evaluated, and values of another type converted
// as the template's language does ("true" for true, 5 for "5", and in JSON "a,b" for a list).
import type * as z from "zod/mini";
import type { JsonBoolean, JsonNumber, JsonString } from "../../base/json/json-value.ts";
import type { ProblemList } from "../../base/problems.ts";
import type { SourceLocation } from "../../base/source-location.ts";
import { type Deferred, plainText } from "../deferred.ts";
import type { TemplateScope } from "../go-template/bind.ts";
import { compileTemplate, hasTemplate } from "../go-template/compile.ts";
import { parseDurationMs, parseDurationNs } from "../go-time/duration.ts";
import { type FieldShape, shapeOf, withoutDefault } from "../schema/field-shape.ts";
import type { TagTemplate } from "../schema/fields.ts";
import type { Conversion } from "./conversion.ts";
import { describeValue, type LocatedObject, type LocatedValue, type RuntimeValue } from "./located-value.ts";
import { compileRuntimeValue } from "./runtime-value.ts";
import { WRONG, wrongOf } from "./wrong-value.ts";

export type FieldPath = readonly (string | number)[];

export interface ConformContext {
  readonly conversion: Conversion;
  /** What is the same for all texts. */
  readonly scope: Omit<TemplateScope, "fields" | "hasBuildFunction">;
  readonly problems: ProblemList;
  /** Where each value stands, by `pathKey`. Filled here. */
  readonly locations: Map<string, SourceLocation>;
  /** Called for a key that the schema does not have. */
  readonly onUnknownKey: (key: string, location: SourceLocation, path: FieldPath, known: readonly string[]) => void;
}

export function pathKey(path: FieldPath): string {
  return JSON.stringify(path);
}

/** `chroot_mounts[1]`, `aws_polling.delay_seconds` */
export function showPath(path: FieldPath): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** Reads the members that the schema knows. A key without a value is left out. */
export function conformObject(
  object: LocatedObject,
  schema: z.ZodMiniObject,
  path: FieldPath,
  context: ConformContext,
): Record<string, unknown> {
  context.locations.set(pathKey(path), object.location);
  const result: Record<string, unknown> = {};
  for (const { key, keyLocation, value, conversion } of object.members) {
    const field: z.core.$ZodType | undefined = Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
    if (field === undefined) {
      context.onUnknownKey(key, keyLocation, path, Object.keys(schema.shape));
      continue;
    }
    const own = conversion === undefined ? context : { ...context, conversion };
    const conformed = conformField(value, field, [...path, key], own);
    if (conformed !== undefined) result[key] = conformed;
  }
  return result;
}

/** As in Packer, null, an empty text and zero are the same as no key, where the key may be missing. */
function conformField(value: LocatedValue, field: z.core.$ZodType, path: FieldPath, context: ConformContext): unknown {
  if (value.kind === "null") return undefined;
  const { isOptional } = withoutDefault(field);
  const conformed = conformValue(value, field, path, context);
  if (!isOptional || conformed === WRONG) return conformed;
  const isEmpty = conformed === "" || conformed === 0 || (isDeferred(conformed) && conformed.source === "");
  return isEmpty ? undefined : conformed;
}

function isDeferred(value: unknown): value is Deferred {
  return typeof value === "object" && value !== null && "render" in value;
}

function conformValue(value: LocatedValue, schema: z.core.$ZodType, path: FieldPath, context: ConformContext): unknown {
  context.locations.set(pathKey(path), value.location);
  const shape = shapeOf(schema);
  if (value.kind === "unevaluated") return wrongOf(shape.kind);
  switch (shape.kind) {
    case "object":
      return value.kind === "object"
        ? conformObject(value, shape.schema, path, context)
        : wrongType(value, shape, path, context);
    case "record":
      return conformRecord(value, shape, path, context);
    case "list":
      return conformList(value, shape, path, context);
    case "tuple":
      return conformTuple(value, shape, path, context);
    case "tags":
      return conformTags(value, shape, path, context);
    case "deferred":
      return conformDeferred(value, shape, path, context);
    default:
      return conformScalar(value, shape, path, context);
  }
}

type Shape<Kind extends FieldShape["kind"]> = Extract<FieldShape, { kind: Kind }>;

function conformRecord(value: LocatedValue, shape: Shape<"record">, path: FieldPath, context: ConformContext): unknown {
  if (value.kind !== "object") return wrongType(value, shape, path, context);
  const entries = value.members.map((member) => [
    member.key,
    conformValue(member.value, shape.value, [...path, member.key], context),
  ]);
  return Object.fromEntries(entries);
}

function conformList(value: LocatedValue, shape: Shape<"list">, path: FieldPath, context: ConformContext): unknown {
  if (value.kind === "array") {
    return value.items.map((item, index) => conformValue(item, shape.element, [...path, index], context));
  }
  const element = shapeOf(shape.element);
  if (value.kind === "object" && element.kind === "object") return [conformValue(value, shape.element, path, context)];
  if (value.kind === "runtime" && value.list !== undefined && element.kind === "deferred") {
    const scope = scopeOf(element, context);
    return [compileRuntimeValue(value, value.list, scope, context.problems) ?? WRONG];
  }
  const isListOfTexts = element.kind === "deferred" || element.kind === "text" || element.kind === "number";
  if (!context.conversion.isWeak || !isListOfTexts) return wrongType(value, shape, path, context);
  switch (value.kind) {
    case "string":
      return element.kind === "deferred"
        ? splitDeferred(value, element, path, context)
        : splitText(value, element, path, context);
    case "number":
    case "boolean":
    case "runtime":
      return [conformValue(value, shape.element, path, context)];
    default:
      return wrongType(value, shape, path, context);
  }
}

function splitText(
  value: JsonString,
  element: Shape<"text" | "number">,
  path: FieldPath,
  context: ConformContext,
): unknown {
  const text = evaluateText(value, context);
  if (text === undefined) return wrongOf("list");
  const items = itemsOf(text);
  context.scope.secrets?.derive(text, items);
  return items.map((item) => textAs(item, element, context) ?? wrongType(value, element, path, context, item));
}

function splitDeferred(
  value: JsonString,
  element: Shape<"deferred">,
  path: FieldPath,
  context: ConformContext,
): Deferred[] {
  const text = conformDeferred(value, element, path, context);
  if (text === WRONG) return [WRONG];
  if (text.needs.length === 0) {
    const whole = text.render({});
    const items = itemsOf(whole);
    context.scope.secrets?.derive(whole, items);
    return items.map(plainText);
  }
  if (!value.value.includes(",")) return [text];
  const message = `"${showPath(path)}" must be a list: a text is split at its commas, and this one is known only while the build runs`;
  context.problems.add(message, { location: value.location, hint: "Write a list of texts" });
  return [WRONG];
}

function itemsOf(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

function conformTuple(value: LocatedValue, shape: Shape<"tuple">, path: FieldPath, context: ConformContext): unknown {
  if (value.kind !== "array") return wrongType(value, shape, path, context);
  const { elements } = shape;
  if (value.items.length !== elements.length) {
    context.problems.add(`"${showPath(path)}" must have ${elements.length} items, not ${value.items.length}`, {
      location: value.location,
    });
    return WRONG;
  }
  return elements.map((element, index) => {
    const item = value.items[index];
    return item === undefined ? WRONG : conformValue(item, element, [...path, index], context);
  });
}

function conformTags(value: LocatedValue, shape: Shape<"tags">, path: FieldPath, context: ConformContext): unknown {
  if (value.kind !== "object") return wrongType(value, shape, path, context);
  const text = { kind: "deferred", fields: shape.fields, hasBuildFunction: false, isEvaluatedOnce: false } as const;
  return value.members.map((member): TagTemplate => {
    const key = {
      kind: "string",
      value: member.key,
      location: member.keyLocation,
      locate: member.locateInKey,
    } as const;
    return {
      key: conformDeferred(key, text, path, context),
      value: conformDeferred(member.value, text, [...path, member.key], context),
    };
  });
}

function conformDeferred(
  value: LocatedValue,
  shape: Shape<"deferred">,
  path: FieldPath,
  context: ConformContext,
): Deferred {
  if (value.kind === "number" || value.kind === "boolean") return plainText(context.conversion.toText(value));
  if (value.kind === "unevaluated") return WRONG;
  const scope = scopeOf(shape, context);
  if (value.kind === "string") {
    if (!hasTemplate(value.value)) return plainText(value.value);
    return compileText(value, scope, context.problems) ?? WRONG;
  }
  if (value.kind === "runtime" && value.text !== undefined) {
    return compileRuntimeValue(value, value.text, scope, context.problems) ?? WRONG;
  }
  wrongType(value, shape, path, context);
  return WRONG;
}

function scopeOf(
  { fields, hasBuildFunction, isEvaluatedOnce }: Shape<"deferred">,
  { scope }: ConformContext,
): TemplateScope {
  return { ...scope, fields: new Set(fields), hasBuildFunction, evaluatesResults: !isEvaluatedOnce };
}

type ScalarShape = Shape<"text" | "number" | "boolean" | "duration">;

function conformScalar(value: LocatedValue, shape: ScalarShape, path: FieldPath, context: ConformContext): unknown {
  switch (value.kind) {
    case "string": {
      const isText = shape.kind === "text" || shape.kind === "duration";
      const text = isText || context.conversion.isWeak ? evaluateText(value, context) : value.value;
      if (text === undefined) return WRONG;
      return textAs(text, shape, context) ?? wrongType(value, shape, path, context, text);
    }
    case "number":
    case "boolean":
      return otherAs(value, shape, context) ?? wrongType(value, shape, path, context);
    default:
      return wrongType(value, shape, path, context);
  }
}

/** A text as the type that is wanted, or `undefined` if it is not one. */
function textAs(text: string, shape: ScalarShape, { conversion }: ConformContext): unknown {
  switch (shape.kind) {
    case "text":
      return text;
    case "number":
      return conversion.toNumber(text);
    case "boolean":
      return conversion.toBoolean(text);
    case "duration":
      return text === "" ? 0 : parseDurationMs(text);
  }
}

/** What is no text as the type that is wanted, or `undefined` if it is not one. */
function otherAs(value: JsonNumber | JsonBoolean, shape: ScalarShape, { conversion }: ConformContext): unknown {
  switch (shape.kind) {
    case "text":
      return conversion.toText(value);
    case "number":
      return conversion.toNumber(value.value);
    case "boolean":
      return conversion.toBoolean(value.value);
    case "duration":
      return value.value === 0 ? 0 : undefined;
  }
}

/** Evaluates a text whose value is needed while the plan is made. */
export function evaluateText(
  text: JsonString,
  context: Pick<ConformContext, "scope" | "problems">,
): string | undefined {
  if (!hasTemplate(text.value)) return text.value;
  const scope = { ...context.scope, fields: new Set<string>(), hasBuildFunction: false };
  return compileText(text, scope, context.problems)?.render({});
}

function compileText(text: JsonString, scope: TemplateScope, problems: ProblemList): Deferred | undefined {
  const compiled = compileTemplate(text.value, scope);
  if ("text" in compiled) return compiled.text;
  for (const { message, offset, hint } of compiled.errors.filter(({ isTold }) => !isTold))
    problems.add(message, { location: text.locate(offset), hint });
  return undefined;
}

const WANTED: Readonly<Record<FieldShape["kind"], string>> = {
  text: "a string",
  deferred: "a string",
  number: "a number",
  boolean: "true or false",
  duration: 'a length of time, such as "90s" or "1h5m"',
  list: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
  tags: "an object",
};

function wrongType(
  value: LocatedValue,
  shape: FieldShape,
  path: FieldPath,
  { problems, conversion }: ConformContext,
  evaluated?: string,
): unknown {
  if (value.kind === "runtime" && !(shape.kind === "deferred" && value.text === undefined)) {
    return wrongTime(value, shape, path, problems);
  }
  const actual = evaluated === undefined ? describeValue(value) : JSON.stringify(evaluated);
  const hint =
    shape.kind === "duration" ? unitHint(evaluated ?? value) : conversion.isWeak ? undefined : strictHint(value, shape);
  problems.add(`"${showPath(path)}" must be ${WANTED[shape.kind]}, not ${actual}`, { location: value.location, hint });
  return wrongOf(shape.kind);
}

function unitHint(value: string | LocatedValue): string | undefined {
  const text = typeof value === "string" ? value : value.kind === "number" ? value.text : "";
  if ((parseDurationNs(text) ?? 0n) < 0n) return "It cannot be negative";
  const [, count = "", isDays] = /^([\d.]+) *(d(?:ays?)?)?$/i.exec(text) ?? [];
  const meant = isDays === undefined ? `${count}s` : `${Number(count) * 24}h`;
  if (parseDurationMs(meant) === undefined) return undefined;
  return isDays === undefined ? `Write the unit, too: "${meant}"` : `Write days as hours: "${meant}"`;
}

/** For what a JSON template may have. */
function strictHint({ kind, ...value }: LocatedValue, shape: FieldShape): string | undefined {
  const isScalar = kind === "string" || kind === "number" || kind === "boolean";
  if (shape.kind === "list" && isScalar) return "Write it in brackets: [ … ]";
  const isEmpty = "value" in value && value.value === "";
  return isEmpty && (shape.kind === "number" || shape.kind === "boolean") ? "For none, write null" : undefined;
}

function wrongTime(
  { location, needs }: RuntimeValue,
  shape: FieldShape,
  path: FieldPath,
  problems: ProblemList,
): unknown {
  const names = needs.map((name) => `"build.${name}"`).join(" and ");
  const message = `"${showPath(path)}" must be known before the build runs, and ${names} ${needs.length === 1 ? "is" : "are"} not`;
  problems.add(message, { location });
  return wrongOf(shape.kind);
}
