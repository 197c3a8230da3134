import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ToolError } from "../../../src/base/errors.ts";
import { readTemplate } from "../../../src/template/read-template.ts";
import { evaluateTyped, openConsole } from "../../../src/template/template-evaluator.ts";
import type { Outcome } from "../../fixtures/conformance/conformance-case.ts";
import type { TemplateCase } from "../../fixtures/conformance/templates.ts";
import { runPacker } from "./packer.ts";

const VALID: Outcome = { value: "valid" };

/** A directory of its own with the files of a case. */
export async function writeCase({ files }: TemplateCase, parent: string): Promise<string> {
  const directory = await mkdtemp(join(parent, "case-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  return directory;
}

export async function packerOutcome(one: TemplateCase, directory: string): Promise<Outcome> {
  const { path, variables = [], varFiles = [], only = [], except = [], environment = {}, expression } = one;
  const flags = [...variables.map((text) => `-var=${text}`), ...varFiles.map((file) => `-var-file=${file}`)];
  const options = { cwd: directory, env: environment };
  if (expression === undefined) {
    flags.push(...only.map((name) => `-only=${name}`), ...except.map((name) => `-except=${name}`));
    const { stdout, stderr } = await runPacker(["validate", ...flags, path], options);
    return /configuration is valid|^Template validated/m.test(stdout + stderr) || stdout + stderr === ""
      ? VALID
      : "refused";
  }
  const { stdout, stderr } = await runPacker(["console", ...flags, path], { ...options, input: `${expression}\n` });
  return /error/i.test(stdout + stderr) ? "refused" : { value: stdout.replace(/\n$/, "") };
}

export async function amibakeOutcome(one: TemplateCase, directory: string): Promise<Outcome> {
  const { path, variables = [], varFiles = [], only = [], except = [], environment = {}, expression } = one;
  const options = {
    variables: variables.map((text) => {
      const [name = "", value = ""] = text.split(/=(.*)/s);
      return { name, value };
    }),
    varFiles: varFiles.map((file) => join(directory, file)),
    // As `validate` does.
    allowsNoBuilds: true,
    ...{ only, except, environment, startTime: new Date(), workingDirectory: directory },
  };
  try {
    if (expression === undefined) {
      await readTemplate(join(directory, path), options);
      return VALID;
    }
    const opened = await openConsole(join(directory, path), { ...options, language: "json" });
    return { value: evaluateTyped(opened, "<test>", expression) };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return "refused";
  }
}
