// Packer's layout of what a template declares. Scripts read it, so it is kept to the letter, but for the first line's name.
import { layoutValues } from "../../template/hcl2/config/describe-values.ts";
import type {
  DescribedBuild,
  DescribedStep,
  HclTemplateDescription,
  JsonTemplateDescription,
} from "../../template/template-description.ts";

/** A line for people, or one that only `-machine-readable` prints. */
export type InspectLine =
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "machine"; readonly type: string; readonly data: readonly string[] };

export const HIDDEN = "<sensitive>";

export function say(...lines: readonly string[]): InspectLine[] {
  return lines.map((text) => ({ kind: "say", text }));
}

function machine(type: string, ...data: readonly string[]): InspectLine {
  return { kind: "machine", type, data };
}

export function jsonInspectLines(template: JsonTemplateDescription): InspectLine[] {
  return [
    ...say("Amibake Inspect: JSON mode"),
    ...(template.description ? say("Description:\n", `${template.description}\n`) : []),
    ...variableLines(template),
    ...say(""),
    ...builderLines(template),
    ...say(""),
    ...provisionerLines(template),
    ...say(NOTE),
  ];
}

const NOTE = `
Note: If your build names contain user variables or template
functions such as 'timestamp', these are processed at build time,
and therefore only show in their raw form here.`;

function variableLines({ variables }: JsonTemplateDescription): InspectLine[] {
  if (variables.length === 0) return say("Variables:\n", "  <No variables>");
  const sorted = variables.toSorted(byName);
  const required = sorted.filter((variable) => variable.default === undefined);
  const optional = sorted.filter((variable) => variable.default !== undefined);
  const width = Math.max(0, ...optional.map(({ name }) => name.length));
  return [
    ...(required.length === 0 ? [] : say("Required variables:\n")),
    ...required.flatMap(({ name }) => [machine("template-variable", name, "", "1"), ...say(`  ${name}`)]),
    ...(required.length === 0 ? [] : say("")),
    ...say("Optional variables and their defaults:\n"),
    ...optional.flatMap(({ name, default: value = "", isSensitive }) => {
      const shown = isSensitive ? HIDDEN : value;
      return [machine("template-variable", name, shown, "0"), ...say(`  ${name.padEnd(width)} = ${shown}`)];
    }),
  ];
}

function builderLines({ builders }: JsonTemplateDescription): InspectLine[] {
  const width = Math.max(0, ...builders.map(({ name }) => name.length));
  return [
    ...say("Builders:\n"),
    ...builders.toSorted(byName).flatMap(({ name, type }) => {
      const note = name === type ? "" : ` (${type})`;
      return [machine("template-builder", name, type), ...say(`  ${name.padEnd(width)}${note}`)];
    }),
  ];
}

function provisionerLines({ provisioners }: JsonTemplateDescription): InspectLine[] {
  const lines = provisioners.flatMap(({ type }) => [machine("template-provisioner", type), ...say(`  ${type}`)]);
  return [...say("Provisioners:\n"), ...(lines.length === 0 ? say("  <No provisioners>") : lines)];
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

export function hclInspectLines({ variables, locals, builds }: HclTemplateDescription): InspectLine[] {
  const shownBuilds = ["> builds:", "", ...builds.flatMap(buildLines)].join("\n");
  return say("Amibake Inspect: HCL2 mode\n", layoutValues(variables, locals), shownBuilds);
}

function buildLines({ name, description, ...build }: DescribedBuild, index: number): string[] {
  return [
    `  > ${name ?? `<unnamed build ${index}>`}:`,
    "",
    ...(description === undefined ? [] : [`  > Description: ${description}`, ""]),
    "    sources:",
    "",
    ...section(
      build.sources.flatMap((source) => [`      ${source}`, ""]),
      "      <no source>",
    ),
    "    provisioners:",
    "",
    ...section([...build.provisioners.map((step) => `      ${stepText(step)}`), ""], "      <no provisioner>"),
    "    post-processors:",
    "",
    ...section(
      build.postProcessors.flatMap((steps, number) => [
        `      ${number}:`,
        ...steps.map((step) => `        ${stepText(step)}`),
        "",
      ]),
      "      <no post-processor>",
    ),
  ];
}

function section(lines: readonly string[], none: string): readonly string[] {
  return lines.some((line) => line !== "") ? lines : [none, ""];
}

function stepText({ type, name }: DescribedStep): string {
  return name === undefined ? type : `${type}.${name}`;
}
