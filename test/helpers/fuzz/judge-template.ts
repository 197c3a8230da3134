import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../../src/base/errors.ts";
import type { Problem } from "../../../src/base/problems.ts";
import { errorReport } from "../../../src/cli/ui/error-report.ts";
import { readTemplate, TemplateError } from "../../../src/template/read-template.ts";
import type { FuzzInput } from "./mutate-template.ts";

/** A message is for people: the longest that names a value of the template whole. */
const MESSAGE_LENGTH_MAX = 4000;
const VALUE_OF_PROGRAM = /undefined|\[object/;
const STACK_LINE = /^\s+at .+:\d+:\d+\)?$/m;

/**
 * @param directory where a template of HCL2 is written: it must be a file.
 * @returns what is wrong with the answer of the reader; nothing if it is a plan, or problems with places.
 */
export async function judgeTemplate(
  { language, bytes }: Pick<FuzzInput, "language" | "bytes">,
  directory: string,
): Promise<string | undefined> {
  const path = language === "json" ? "-" : join(directory, "fuzz.pkr.hcl");
  if (path !== "-") await writeFile(path, bytes);
  const complaint = await judgeAnswer(path, bytes);
  if (complaint !== undefined) return complaint;
  if (Object.keys(Object.prototype).length > 0 || "polluted" in {}) return "Object.prototype has been changed";
  return undefined;
}

async function judgeAnswer(path: string, bytes: Uint8Array): Promise<string | undefined> {
  try {
    const plan = await readTemplate(path, {
      variables: [],
      varFiles: [],
      only: [],
      except: [],
      environment: { HOME: "/root" },
      startTime: new Date(0),
      stdin: async function* () {
        yield bytes;
      },
    });
    return judgeTexts(plan.builds);
  } catch (error) {
    if (!(error instanceof TemplateError)) return `It throws ${error instanceof Error ? error.stack : String(error)}`;
    if (error.problems.length === 0) return "It fails without a problem";
    const text = new TextDecoder().decode(bytes);
    const file = { name: path === "-" ? "<stdin>" : path, text, lineLengths: text.split("\n").map(characterCount) };
    const complaints = error.problems.map((problem) => judgeProblem(problem, file));
    return complaints.find((complaint) => complaint !== undefined) ?? judgeReport(error);
  }
}

function judgeProblem(
  { location, message, hint }: Problem,
  { name, text, lineLengths }: { name: string; text: string; lineLengths: readonly number[] },
): string | undefined {
  const texts = [message, hint ?? "-"];
  if (texts.some((text) => text.trim() === "")) return "It says nothing";
  if (texts.some((text) => text.length > MESSAGE_LENGTH_MAX)) return `It says too much: ${message.slice(0, 200)}`;
  if (texts.some((text) => STACK_LINE.test(text))) return `It shows a stack: ${message}`;
  if (VALUE_OF_PROGRAM.test(message) && !VALUE_OF_PROGRAM.test(text)) {
    return `It shows a value of the program: ${message}`;
  }
  if (location === undefined || location.file !== name) return undefined;
  const lineLength = lineLengths[location.line - 1] ?? -1;
  const isInside = location.column >= 1 && location.column <= lineLength + 1;
  return isInside ? undefined : `It points outside the file, to ${location.line}:${location.column}: ${message}`;
}

function characterCount(line: string): number {
  let count = 0;
  for (const _character of line) count++;
  return count;
}

function judgeReport(error: TemplateError): string | undefined {
  const report = errorReport(error);
  return report.stack === undefined && report.code === "ERR_TEMPLATE" ? undefined : "It is reported as our own bug";
}

const VALUES = Object.fromEntries(
  ["Command", "CreateTime", "Device", "MountPath", "SourceAMI", "Vars", "Path", "EnvVarFile"].map((name) => [
    name,
    name,
  ]),
);

/** Renders every text of a plan, as a build does. */
function judgeTexts(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ("render" in value && typeof value.render === "function") {
    try {
      const text: unknown = value.render(VALUES);
      return typeof text === "string" ? undefined : "A text renders to something else";
    } catch (error) {
      return error instanceof ToolError ? undefined : `A text throws ${String(error)}`;
    }
  }
  for (const part of Object.values(value)) {
    const complaint = judgeTexts(part);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}
