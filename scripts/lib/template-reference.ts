// docs/template.md, made from the schemas and the table of functions.
import type * as z from "zod/mini";
import { FIXERS } from "../../src/template/fix/fixers.ts";
import { NO_FOREIGN_VALUES } from "../../src/template/foreign-values.ts";
import { BUILTIN_FUNCTIONS } from "../../src/template/go-template/builtin-functions.ts";
import { createForeignFunctions } from "../../src/template/go-template/foreign-functions.ts";
import {
  createBuildFunctions,
  createFunctions,
  createVariableFunctions,
} from "../../src/template/go-template/functions.ts";
import type { TemplateFunction } from "../../src/template/go-template/template-function.ts";
import { durationText } from "../../src/template/json-schema/field-schema.ts";
import { ROOT_KEYS } from "../../src/template/json-schema/root-keys.ts";
import type { Component } from "../../src/template/schema/component.ts";
import { BUILDERS, POST_PROCESSORS, PROVISIONERS } from "../../src/template/schema/components.ts";
import { type FieldShape, shapeOf, withoutDefault } from "../../src/template/schema/field-shape.ts";
import { descriptionOf, IMAGE_VARIABLES, PROVISIONER_VARIABLES } from "../../src/template/schema/fields.ts";
import { postProcessorSettingsSchema } from "../../src/template/schema/post-processor-settings.ts";
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
    `## Keys of every post-processor\n\n${POST_PROCESSOR_TEXT}\n\n${keyTable(postProcessorSettingsSchema)}`,
    ...Object.values(POST_PROCESSORS).map(componentSection),
    fixerSection(),
  ];
  return `${sections.map((section) => section.trim()).join("\n\n")}\n`;
}

function rootKeyRows(): string {
  return Object.entries(ROOT_KEYS)
    .map(([key, { type, meaning }]) => `| \`${key}\` | ${type} | ${meaning} |`)
    .join("\n");
}

const INTRODUCTION = `
<!-- Made by scripts/generate-docs.ts. Change the schemas in src/template/schema, not this page. -->

# The template

A template is a JSON object, as Packer's legacy templates are. These are its keys:

| Key | Type | Meaning |
|---|---|---|
${rootKeyRows()}
| \`_…\` | anything | A comment |

As in Packer, a text is converted where something else is wanted: \`"true"\` to true, \`"8"\` to 8, \`"a,b"\` to a list,
and a number or a boolean to a text, \`true\` to \`"1"\`. \`null\`, an empty text and zero are the same as no key, where a key
may be missing. HCL2 is stricter, as in Packer: \`"a,b"\` is no list there, an empty text no number and no boolean, and \`true\`
becomes \`"true"\`. In \`override\`, both convert as JSON does.`;

const EXPRESSIONS = `
## Template expressions

Every text may hold expressions of Go's text/template in \`{{ }}\`, the whole language: functions with arguments in double
quotes or backquotes, pipelines (\`\` {{user \`name\` | upper}} \`\`), parentheses, variables (\`{{$x := …}}\`), \`if\`, \`with\`,
\`range\` over maps and whole numbers, \`define\`, \`template\`, \`block\`, comments (\`{{/* … */}}\`) and trim markers (\`{{-\` and
\`-}}\`). To write \`{{\` as plain text, write \`\` {{\`{{\`}} \`\`.

What needs no build variable is evaluated when the template is read, so that a mistake is told before anything is built.

In a text that may have build variables, what an expression gives may have expressions itself, which are evaluated there: a
user variable may be \`{{.Vars}} sudo {{.Path}}\`, for an \`execute_command\` that is \`\` {{user \`command\`}} \`\`. Values of build
variables are plain text.`;

const FUNCTIONS_OF_GO = "These are Go's own:";

const VARIABLES = `
## Build variables

These exist only while a build runs, and only in the keys that name them below. In the texts of provisioners and post-processors,
\`\` {{build \`SourceAMI\`}} \`\` and \`{{.SourceAMI}}\` are the same.`;

const VARIABLE_MEANINGS: Readonly<Record<string, string>> = {
  BuildRegion: "The region of the build",
  Command: "The command that is wrapped",
  CreateTime: "The same as `{{timestamp}}`",
  Device: "The device of the root disk: its path, or in `mount_path` the last part of it",
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

const POST_PROCESSOR_TEXT = `
An item of \`post-processors\` is an object, a text, which is a type without keys, or a list of these, which is a sequence.
They run when the image is complete, one after the other. One that fails ends its sequence and fails the run; the other
sequences run all the same, and the image stays. \`-except\` with the name of one leaves it out, and what comes after it in
its sequence.`.trim();

function functionTable(): string {
  const context = {
    startTime: new Date(0),
    workingDirectory: "",
    templateDirectory: "",
    toolVersion: "",
    userVariable: () => "",
  };
  const builtIn = new Set(BUILTIN_FUNCTIONS.map(([name]) => name));
  const functions = [
    ...[...createFunctions(context)].filter(([name]) => !builtIn.has(name)),
    ...createVariableFunctions({}),
    ...createForeignFunctions(NO_FOREIGN_VALUES, new Set()),
    ...createBuildFunctions({ name: "", type: "" }),
  ];
  return [rowsOf(functions), FUNCTIONS_OF_GO, rowsOf(BUILTIN_FUNCTIONS)].join("\n\n");
}

function rowsOf(functions: readonly (readonly [string, TemplateFunction])[]): string {
  const rows = functions.map(([name, { usage, summary }]) => [`\`${name}\``, codeSpan(`{{${usage}}}`), summary]);
  return table(["Function", "Example", "Gives"], rows);
}

const FIXERS_TEXT = `
## What \`amibake fix\` rewrites

\`amibake fix FILE\` prints the template with what is old in it rewritten, in the order of these rows, and tells on standard
error what it changed. The file stays as it is; order, comments and layout are kept. \`-validate=false\` does not check the
result. These are Packer's, by their names there:`;

function fixerSection(): string {
  const rows = FIXERS.map(({ name, summary }) => [`\`${name}\``, summary]);
  return [FIXERS_TEXT.trim(), table(["Name", "Does"], rows)].join("\n\n");
}

function componentSection({ kind, type, schema, keysNotYet, keysRefused = {} }: Component<unknown>): string {
  const paragraphs = [`## The ${kind} \`${type}\``, keyTable(schema)];
  if (keysNotYet.length > 0) {
    const whose = kind === "builder" ? "Packer's chroot builder" : `Packer's ${kind}`;
    paragraphs.push(`These keys of ${whose} are not supported yet: ${keyList(keysNotYet)}.`);
  }
  for (const reason of new Set(Object.values(keysRefused))) {
    const keys = Object.keys(keysRefused).filter((key) => keysRefused[key] === reason);
    paragraphs.push(`These keys are refused, since ${reason}: ${keyList(keys)}.`);
  }
  return paragraphs.join("\n\n");
}

function keyList(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join(", ");
}

function keyTable(schema: z.ZodMiniObject): string {
  return table(["Key", "Type", "Default", "Meaning"], keyRows(schema, ""));
}

function keyRows(schema: z.ZodMiniObject, prefix: string): string[][] {
  return Object.entries(schema.shape).flatMap(([key, field]: [string, z.core.$ZodType]) => {
    const shape = shapeOf(field);
    const description = descriptionOf(field);
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

function defaultText(field: z.core.$ZodType, shape: FieldShape): string {
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

function codeSpan(text: string): string {
  // A code span with backquotes in it needs more of them around it.
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}
