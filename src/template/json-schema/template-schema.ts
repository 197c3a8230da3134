// The JSON Schema of JSON templates, for editors: `amibake schema`. It cannot tell everything that `amibake validate` knows
// (rules over several keys, what expressions come to), but it never refuses what that accepts.
import type * as z from "zod/mini";
import type { Component } from "../schema/component.ts";
import {
  BUILDERS,
  PACKER_BUILDERS,
  PACKER_POST_PROCESSORS,
  PACKER_PROVISIONERS,
  POST_PROCESSORS,
  POST_PROCESSORS_NOT_YET,
  PROVISIONERS,
  PROVISIONERS_NOT_YET,
} from "../schema/components.ts";
import { postProcessorSettingsSchema } from "../schema/post-processor-settings.ts";
import { provisionerSettingsSchema } from "../schema/provisioner-settings.ts";
import { type JsonSchema, objectSchema } from "./field-schema.ts";
import { ROOT_KEYS } from "./root-keys.ts";

// What amibake does not have may stand in a template that is not for amibake alone.
const OTHER_PROVISIONERS = [...PROVISIONERS_NOT_YET, ...PACKER_PROVISIONERS];
const OTHER_POST_PROCESSORS = [...POST_PROCESSORS_NOT_YET, ...PACKER_POST_PROCESSORS];

/** Draft 7, which every editor knows. */
export function templateSchema(): JsonSchema {
  const shapes: Record<keyof typeof ROOT_KEYS, JsonSchema> = {
    builders: { type: "array", minItems: 1, items: { $ref: "#/definitions/builder" } },
    provisioners: orNull({ type: "array", items: { $ref: "#/definitions/provisioner" } }),
    "error-cleanup-provisioner": orNull({ $ref: "#/definitions/provisioner" }),
    "post-processors": orNull({ type: "array", items: { $ref: "#/definitions/postProcessors" } }),
    variables: { type: ["object", "null"], additionalProperties: { type: ["string", "number", "boolean", "null"] } },
    "sensitive-variables": { type: ["array", "null"], items: { type: "string" } },
    description: { type: ["string", "null"] },
    min_packer_version: { type: ["string", "null"], pattern: "^(?:\\s*v?\\d.*)?$" },
  };
  const properties = Object.entries(shapes).map(([key, shape]) => {
    const { meaning } = ROOT_KEYS[key as keyof typeof ROOT_KEYS];
    return [key, { description: meaning.replaceAll("`", ""), markdownDescription: meaning, ...shape }];
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "amibake template",
    type: "object",
    properties: Object.fromEntries(properties),
    patternProperties: { "^_": { description: "A comment" } },
    additionalProperties: false,
    required: ["builders"],
    definitions: {
      builder: choiceByType(Object.keys(BUILDERS), PACKER_BUILDERS, "builder"),
      provisioner: choiceByType(Object.keys(PROVISIONERS), OTHER_PROVISIONERS, "provisioner"),
      postProcessor: choiceByType(Object.keys(POST_PROCESSORS), OTHER_POST_PROCESSORS, "post-processor"),
      postProcessors: postProcessorSchema(),
      ...Object.fromEntries(Object.values(BUILDERS).map(builderDefinition)),
      ...Object.fromEntries(Object.values(PROVISIONERS).map(provisionerDefinition)),
      ...Object.fromEntries(Object.values(POST_PROCESSORS).map(postProcessorDefinition)),
    },
  };
}

function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "null" }] };
}

/** An object whose `type` chooses what else may stand in it: a mistake is then told of that one, and not of all. */
function choiceByType(
  ours: readonly string[],
  others: readonly string[],
  kind: Component<unknown>["kind"],
): JsonSchema {
  return {
    type: "object",
    required: ["type"],
    properties: { type: { description: `Which ${kind}`, enum: [...ours, ...others] } },
    allOf: ours.map((type) => ({
      if: { properties: { type: { const: type } }, required: ["type"] },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema, in what is only printed
      then: { $ref: `#/definitions/${definitionName(kind, type)}` },
    })),
  };
}

function definitionName(kind: string, type: string): string {
  return `${kind}-${type}`;
}

// Packer puts these into every configuration itself, and templates may have them too.
const INJECTED_KEYS = {
  "^packer_(?:build_name|builder_type|core_version|debug|force|on_error|user_variables|sensitive_variables)$": {},
};

function builderDefinition({ kind, type, schema }: Component<unknown>): [string, JsonSchema] {
  return [definitionName(kind, type), objectSchema(schema, { patternProperties: INJECTED_KEYS })];
}

function provisionerDefinition({ kind, type, schema }: Component<unknown>): [string, JsonSchema] {
  const own = objectSchema(schema, { patternProperties: INJECTED_KEYS });
  const { required: _required, ...override } = own;
  const overrides = {
    description: "Keys of this provisioner for single builds, by their names",
    type: ["object", "null"],
    additionalProperties: { anyOf: [override, { type: "null" }] },
  };
  return [definitionName(kind, type), withSettings(type, own, provisionerSettingsSchema, { override: overrides })];
}

function postProcessorDefinition({ kind, type, schema }: Component<unknown>): [string, JsonSchema] {
  const own = objectSchema(schema, { patternProperties: INJECTED_KEYS });
  return [definitionName(kind, type), withSettings(type, own, postProcessorSettingsSchema, {})];
}

function withSettings(
  type: string,
  { required = [], properties, ...own }: JsonSchema,
  settings: z.ZodMiniObject,
  more: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const needed = required as readonly string[];
  return {
    ...own,
    properties: {
      type: { const: type },
      ...(properties as JsonSchema),
      ...(objectSchema(settings)["properties"] as JsonSchema),
      ...more,
    },
    // An override may bring what is required.
    ...(needed.length === 0 ? {} : { anyOf: [{ required: needed }, { required: ["override"] }] }),
  };
}

/** One alone, or a sequence. A text is the type of one without settings. */
function postProcessorSchema(): JsonSchema {
  const types = { enum: [...Object.keys(POST_PROCESSORS), ...OTHER_POST_PROCESSORS] };
  const one = [{ $ref: "#/definitions/postProcessor" }, types];
  return { anyOf: [...one, { type: "array", items: { anyOf: one } }] };
}
