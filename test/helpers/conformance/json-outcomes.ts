import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TemplateError } from "../../../src/template/template-error.ts";
import { openConsole } from "../../../src/template/template-evaluator.ts";
import type { ExpressionCase, Outcome } from "../../fixtures/conformance/conformance-case.ts";
import { JSON_VARIABLES } from "../../fixtures/conformance/json-expressions.ts";
import { runPacker } from "./packer.ts";

/** In which everything is evaluated, by both tools. */
export const ENVIRONMENT = { CONFORMANCE: "from the environment" };

function templateOf(texts: readonly string[]): string {
  const variables = Object.fromEntries(texts.map((text, index) => [nameOf(index), text]));
  return JSON.stringify({
    variables: { ...JSON_VARIABLES, ...variables, started: "{{timestamp}}" },
    builders: [{ type: "null", communicator: "none" }],
  });
}

function nameOf(index: number): string {
  return `case_${String(index).padStart(3, "0")}`;
}

/** All at once: they are variables of one template, which the console shows. */
export async function packerJsonValues(
  cases: readonly ExpressionCase[],
  directory: string,
): Promise<{ outcomes: Outcome[]; startTime: Date }> {
  await writeFile(join(directory, "values.json"), templateOf(cases.map(({ text }) => text)));
  const { stdout } = await runPacker(["console", "values.json"], {
    cwd: directory,
    input: "variables\n",
    env: ENVIRONMENT,
  });
  const names = [...cases.keys()].map(nameOf);
  const shown = shownVariables(stdout);
  const started = Number(shown.get("started"));
  if (!Number.isInteger(started)) throw new Error(`Packer evaluates none of them:\n${stdout.slice(0, 2000)}`);
  const outcomes = names.map((name): Outcome => ({ value: shown.get(name) ?? "<not shown>" }));
  return { outcomes, startTime: new Date(started * 1000) };
}

/** What a console tells of the variables. */
function shownVariables(output: string): Map<string, string> {
  const starts = ["case_\\d{3}", "started", ...Object.keys(JSON_VARIABLES), ""];
  const parts = `\n${output}`.split(new RegExp(`\\n(?=(?:${starts.join("|")}): )`));
  return new Map(
    parts.map((part) => {
      const [, name = "", value = ""] = /^(\w+): (.*),\n*$/s.exec(part) ?? [];
      return [name, value];
    }),
  );
}

/** How many of them Packer refuses, each on a line of its console. */
export async function packerJsonRefusals(cases: readonly ExpressionCase[], directory: string): Promise<number> {
  const { stdout } = await runPacker(["console"], {
    cwd: directory,
    input: cases.map(({ text }) => `${text}\n`).join(""),
    env: ENVIRONMENT,
  });
  return stdout.split("Interpolation error").length - 1;
}

/** What amibake says, each in a template of its own. */
export async function amibakeJsonOutcome(
  { text }: ExpressionCase,
  directory: string,
  startTime: Date,
): Promise<Outcome> {
  const options = {
    ...{ variables: [], varFiles: [], only: [], except: [], language: "json" as const },
    environment: ENVIRONMENT,
    startTime,
    toolVersion: "1.16.0",
    workingDirectory: directory,
  };
  try {
    const path = join(directory, "one.json");
    await writeFile(path, templateOf([text]));
    const opened = await openConsole(path, options);
    return { value: shownVariables(opened.variables()).get(nameOf(0)) ?? "<not shown>" };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return "refused";
  }
}
