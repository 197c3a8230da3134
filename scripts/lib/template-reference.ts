// docs/template.md, made from the schemas and the table of functions.
import type * as z from "zod";
import {
  createBuildFunctions,
  createFunctions,
  createVariableFunctions,
} from "../../src/template/go-template/functions.ts";
import type { Component } from "../../src/template/schema/component.ts";
import { BUILDERS, PROVISIONERS } from "../../src/template/schema/components.ts";
import { type FieldShape, shapeOf, withoutDefault } from "../../src/template/schema/field-shape.ts";
import { IMAGE_VARIABLES, PROVISIONER_VARIABLES } from "../../src/template/schema/fields.ts";
import { provisionerSettingsSchema } from "../../src/template/schema/provisioner-settings.ts";

export function templateReference(): string {
  const sections = [
    INTRODUCTION,
    EXPRESSIONS,
    functionTable(),
    variableSection(),
    ...Object.values(BUILDERS).map(componentSection),
    `## Keys of every provisioner\n\n${PROVISIONER_TEXT}\n\n${keyTable(provisionerSettingsSchema)}`,
    ...Object.values(PROVISIONERS).map(componentSection),
  ];
  return `${sections.map((section) => section.trim()).join("\n\n")}\n`;
}

const INTRODUCTION = `
<!-- Made by scripts/generate-docs.ts. Change the schemas in src/template/schema, not this page. -->

# The template

A template is a JSON object, as Packer's legacy templates are. These are its keys:

| Key | Type | Meaning |
|---|---|---|
| \`builders\` | list of objects | What to build. Each has a \`type\`, and a \`name\` if two have the same type |
| \`provisioners\` | list of objects | What changes the image, in this order |
| \`variables\` | object of strings | User variables and their defaults; \`null\` means that a value must be given with \`-var\` or \`-var-file\` |
| \`sensitive-variables\` | list of strings | User variables whose values are never shown |
| \`description\` | string | What the template is for |
| \`min_packer_version\` | string | Accepted, without any effect |
| \`_…\` | anything | A comment |

\`post-processors\` and \`error-cleanup-provisioner\` are not supported yet.

As in Packer, a text is converted where something else is wanted: \`"true"\` to true, \`"8"\` to 8, \`"a,b"\` to a list,
and a number to a text. \`null\`, an empty text and zero are the same as no key, where a key may be missing.`;

const EXPRESSIONS = `
## Template expressions

Every text may hold expressions of Go's text/template in \`{{ }}\`: functions with arguments in double quotes or
backquotes, pipelines (\`\` {{user \`name\` | upper}} \`\`), parentheses, comments (\`{{/* … */}}\`) and trim markers
(\`{{-\` and \`-}}\`). Control structures (\`if\`, \`range\`, \`with\`, …) are not supported yet. To write \`{{\` as plain
text, write \`\` {{\`{{\`}} \`\`.`;

const VARIABLES = `
## Build variables

These exist only while a build runs, and only in the keys that name them below. In the texts of provisioners,
\`\` {{build \`SourceAMI\`}} \`\` and \`{{.SourceAMI}}\` are the same.`;

const VARIABLE_MEANINGS: Readonly<Record<string, string>> = {
  BuildRegion: "The region of the build",
  Command: "The command that is wrapped",
  CreateTime: "The same as `{{timestamp}}`",
  Device: "The device of the volume: its path, or in `mount_path` the last part of it",
  EnvVarFile: "The path of the file with the environment",
  MountPath: "Where the image is mounted on this host",
  PackerRunUUID: "A UUID, the same for all builds of a run",
  Path: "The path of the script in the image",
  SourceAMI: "The id of the source image",
  SourceAMICreationDate: "When the source image was made",
  SourceAMIName: "The name of the source image",
  SourceAMIOwner: "The account that owns the source image",
  SourceAMIOwnerName: "The alias of that account, such as `amazon`",
  SourceAMITags: "The tags of the source image: `{{.SourceAMITags.Name}}` is the one called `Name`",
  Vars: "The environment: `NAME='value' ` for each variable",
};

function variableSection(): string {
  const rows = Object.entries(VARIABLE_MEANINGS).map(([name, meaning]) => [`\`{{.${name}}}\``, meaning]);
  const groups = [
    `The **image variables** are ${nameList(IMAGE_VARIABLES)}.`,
    `The **provisioner variables** are ${nameList(PROVISIONER_VARIABLES)}.`,
  ];
  return [VARIABLES.trim(), table(["Variable", "Is"], rows), groups.join("\n")].join("\n\n");
}

/** The names of variables, with those that belong together as one. */
function variableNames(fields: readonly string[]): string {
  for (const name of fields) {
    if (VARIABLE_MEANINGS[name] === undefined) throw new TypeError(`The variable "${name}" has no description`);
  }
  const isAll = (group: readonly string[]): boolean => group.every((name) => fields.includes(name));
  const group = isAll(PROVISIONER_VARIABLES) ? PROVISIONER_VARIABLES : isAll(IMAGE_VARIABLES) ? IMAGE_VARIABLES : [];
  const others = fields.filter((name) => !group.some((member) => member === name));
  const groupName = group === IMAGE_VARIABLES ? ["image variables"] : group.length > 0 ? ["provisioner variables"] : [];
  return [...(others.length > 0 ? [nameList(others)] : []), ...groupName].join(" and ");
}

function nameList(names: readonly string[]): string {
  return names.map((name) => `\`.${name}\``).join(", ");
}

const PROVISIONER_TEXT = `
A length of time is written as in Go: \`90s\`, \`1h5m\`. \`override\` is an object whose keys are names of builds; what it
says replaces the provisioner's own keys for that build.`.trim();

function functionTable(): string {
  const context = {
    startTime: new Date(0),
    workingDirectory: "",
    templateDirectory: "",
    toolVersion: "",
    userVariable: () => "",
  };
  const functions = [
    ...createFunctions(context),
    ...createVariableFunctions({}),
    ...createBuildFunctions({ name: "", type: "" }),
  ];
  const rows = functions.map(([name, { usage, summary }]) => [`\`${name}\``, codeSpan(`{{${usage}}}`), summary]);
  return table(["Function", "Example", "Gives"], rows);
}

function componentSection({ kind, type, schema, keysNotYet }: Component<unknown>): string {
  const heading = `## The ${kind} \`${type}\`\n\n${keyTable(schema)}`;
  if (keysNotYet.length === 0) return heading;
  const names = keysNotYet.map((key) => `\`${key}\``).join(", ");
  return `${heading}\n\nThese keys of Packer's ${kind} are not supported yet: ${names}.`;
}

function keyTable(schema: z.ZodObject): string {
  return table(["Key", "Type", "Default", "Meaning"], keyRows(schema, ""));
}

function keyRows(schema: z.ZodObject, prefix: string): string[][] {
  return Object.entries(schema.shape).flatMap(([key, field]: [string, z.ZodType]) => {
    const shape = shapeOf(field);
    const { description } = field;
    if (description === undefined) throw new TypeError(`The key "${prefix}${key}" has no description`);
    const row = [`\`${prefix}${key}\``, typeName(field, shape), defaultText(field, shape), description];
    return shape.kind === "object" ? [row, ...keyRows(shape.schema, `${prefix}${key}.`)] : [row];
  });
}

function typeName(field: z.core.$ZodType, shape: FieldShape): string {
  switch (shape.kind) {
    case "text":
      return (
        valuesOf(field)
          ?.map((value) => `\`${value}\``)
          .join(" or ") ?? "string"
      );
    case "deferred":
      return `string with ${variableNames(shape.fields)}`;
    case "duration":
      return "length of time";
    case "tags":
      return `object of strings with ${variableNames(shape.fields)}`;
    case "list":
      return `list of ${plural(shape.element)}`;
    case "tuple":
      return `list of ${shape.elements.length} strings`;
    case "record":
      return `object of ${plural(shape.value)}`;
    default:
      return shape.kind;
  }
}

function valuesOf(field: z.core.$ZodType): readonly unknown[] | undefined {
  const { def } = withoutDefault(field).inner._zod;
  if (def.type === "literal") return (def as z.core.$ZodLiteralDef<string>).values;
  return def.type === "enum" ? Object.values((def as z.core.$ZodEnumDef).entries) : undefined;
}

function plural(element: z.core.$ZodType): string {
  const shape = shapeOf(element);
  const [first = "", ...rest] = typeName(element, shape).split(" ");
  return [shape.kind === "text" || first === "string" ? "strings" : `${first}s`, ...rest].join(" ");
}

function defaultText(field: z.ZodType, shape: FieldShape): string {
  if (!withoutDefault(field).isOptional) return "required";
  const { def } = field._zod;
  if (def.type !== "default") return "";
  const value = (def as z.core.$ZodDefaultDef).defaultValue;
  if (isDeferred(value)) return codeSpan(value.source);
  if (shape.kind === "duration") return codeSpan(durationText(Number(value)));
  const isEmpty = value === "" || (typeof value === "object" && Object.keys(value ?? {}).length === 0);
  return isEmpty ? "" : codeSpan(typeof value === "string" ? value : JSON.stringify(value));
}

function isDeferred(value: unknown): value is { source: string } {
  return typeof value === "object" && value !== null && "source" in value;
}

function durationText(durationMs: number): string {
  return durationMs % 60_000 === 0 && durationMs > 0 ? `${durationMs / 60_000}m` : `${durationMs / 1000}s`;
}

function codeSpan(text: string): string {
  // A code span with backquotes in it needs more of them around it.
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}
