import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeTemplate } from "../../../src/template/describe-template.ts";
import { printValue } from "../../../src/template/hcl2/values/print-value.ts";
import { TemplateError } from "../../../src/template/template-error.ts";
import type { ExpressionCase, Outcome } from "../../fixtures/conformance/conformance-case.ts";
import { HCL_TEMPLATE } from "../../fixtures/conformance/hcl-expressions.ts";
import { runPacker } from "./packer.ts";

/** What the expressions read. */
export async function writeDataFiles(directory: string): Promise<void> {
  await writeFile(join(directory, "data.txt"), "one\ntwo é\n");
  await writeFile(join(directory, "data.tmpl"), "Hello ${name}%{ for x in list } <${x}>%{ endfor }\n");
}

/** Each as a local, called by its number. */
function templateOf(cases: readonly ExpressionCase[]): string {
  const locals = cases.map(({ text }, index) => `  ${nameOf(index)} = ${text}\n`);
  return `${HCL_TEMPLATE}locals {\n${locals.join("")}}\n`;
}

function nameOf(index: number): string {
  return `case_${String(index).padStart(3, "0")}`;
}

/** All at once: they are locals of one template, which is inspected. */
export async function packerHclValues(cases: readonly ExpressionCase[], directory: string): Promise<Outcome[]> {
  const shown = await inspect(templateOf(cases), directory);
  return cases.map((_, index): Outcome => {
    // A local without a value is left out, and nothing said of it.
    const value = shown.get(nameOf(index));
    return value === undefined ? "refused" : { value };
  });
}

async function inspect(template: string, directory: string): Promise<Map<string, string>> {
  await writeFile(join(directory, "values.pkr.hcl"), template);
  const { stdout, stderr } = await runPacker(["inspect", "values.pkr.hcl"], { cwd: directory });
  const lines = [...stdout.matchAll(/^local\.(\w+): (".*")$/gm)];
  if (/^Error: /m.test(stdout + stderr)) {
    throw new Error(`Packer refuses the template:\n${(stdout + stderr).slice(0, 4000)}`);
  }
  return new Map(lines.map(([, name = "", text = ""]) => [name, unquoteGo(text)]));
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** The text that Go's %q shows. */
function unquoteGo(text: string): string {
  return text.slice(1, -1).replace(/\\(?:x(..)|u(.{4})|U(.{8})|(.))/g, (_, x, u, long, letter: string) => {
    const code = x ?? u ?? long;
    return code === undefined ? (GO_ESCAPES[letter] ?? letter) : String.fromCodePoint(Number.parseInt(code, 16));
  });
}

/** Those that Packer takes for expressions. Each is in a file of its own, which its problems name. */
export async function packerTakesSyntax(cases: readonly ExpressionCase[], parent: string): Promise<ExpressionCase[]> {
  const directory = await mkdtemp(join(parent, "syntax-"));
  for (const [index, { text }] of cases.entries()) {
    await writeFile(join(directory, `${nameOf(index)}.pkr.hcl`), `locals {\n  ${nameOf(index)} = ${text}\n}\n`);
  }
  const { stdout, stderr } = await runPacker(["inspect", "."], { cwd: directory });
  return cases.filter((_, index) => !`${stdout}${stderr}`.includes(`on ${nameOf(index)}.pkr.hcl line`));
}

/** What amibake says, each in a template of its own. */
export async function amibakeHclOutcome(one: ExpressionCase, directory: string): Promise<Outcome> {
  const path = join(directory, "one.pkr.hcl");
  await writeFile(path, templateOf([one]));
  try {
    const described = await describeTemplate(path, {
      ...{ variables: [], varFiles: [], only: [], except: [], environment: {}, startTime: new Date() },
      workingDirectory: directory,
    });
    const value = described.language === "hcl2" ? described.locals[0]?.value : undefined;
    return value === undefined ? "refused" : { value: printValue(value) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return "refused";
  }
}
