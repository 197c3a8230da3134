import { ToolError } from "../../base/errors.ts";
import { ProblemList } from "../../base/problems.ts";
import { checkJsonSyntax } from "../json/read-json-template.ts";
import { isHclTemplate } from "../read-template.ts";
import { readStream, readText } from "../read-text.ts";
import { TemplateError } from "../template-error.ts";
import { type FixedTemplate, fixTemplate } from "./fix-template.ts";

/**
 * Reads a template and rewrites what is old in it. The file stays as it is.
 *
 * @param path of the template; `-` is standard input.
 * @throws {TemplateError} if it cannot be read, or is not JSON.
 */
export async function fixTemplateFile(
  path: string,
  stdin: () => AsyncIterable<Uint8Array | string>,
): Promise<FixedTemplate> {
  if (isHclTemplate(path)) {
    throw new ToolError("ERR_USAGE", `Cannot fix "${path}": only JSON templates have an older form`, {
      fault: "usage",
    });
  }
  const problems = new ProblemList();
  const file = fileName(path);
  const text = path === "-" ? await readStream(file, stdin(), problems) : await readText(path, problems);
  if (text === undefined) throw new TemplateError(file, problems.sorted([]));
  return fixTemplate(file, text);
}

/**
 * Checks the sections of a template that was rewritten; what the builders say of their keys is for `validate`.
 *
 * @throws {TemplateError}
 */
export function checkFixedTemplate(path: string, text: string): void {
  const problems = new ProblemList();
  const file = `${fileName(path)} as fixed`;
  checkJsonSyntax(file, text, problems);
  if (!problems.isEmpty) throw new TemplateError(file, problems.sorted([]));
}

function fileName(path: string): string {
  return path === "-" ? "<stdin>" : path;
}
