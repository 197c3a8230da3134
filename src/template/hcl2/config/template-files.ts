import { type Dirent, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ProblemList } from "../../../base/problems.ts";
import { hideAssigned } from "../../hide-assigned.ts";
import { isDirectory } from "../../is-directory.ts";
import { readText, whyUnreadable } from "../../read-text.ts";
import { parseHcl } from "../syntax/parse-hcl.ts";
import { parseHclJson } from "../syntax/parse-hcl-json.ts";
import type { Body } from "../syntax/syntax-tree.ts";

export interface TemplateFiles {
  /** What they say, in the order of their names: those of HCL first, then those of JSON. */
  readonly bodies: readonly Body[];
  /** `path.root`: the directory of the template, as it was given. */
  readonly directory: string;
  /** `*.auto.pkrvars.hcl`, then `*.auto.pkrvars.json`. Only a template that is a directory has them, as in Packer. */
  readonly autoVarFiles: readonly string[];
}

/**
 * Reads a template: one file, or all of a directory.
 *
 * @returns `undefined` if nothing can be read; `problems` says why. Of a file with mistakes there is what could be read.
 */
export async function readTemplateFiles(path: string, problems: ProblemList): Promise<TemplateFiles | undefined> {
  const found = isDirectory(path)
    ? listDirectory(path, problems)
    : { files: [path], directory: dirname(path), autoVarFiles: [] };
  if (found === undefined) return undefined;
  const bodies: Body[] = [];
  for (const file of found.files) {
    const text = await readText(file, problems);
    if (text === undefined) continue;
    const told = problems.count;
    const body = parseFile(file, text, problems);
    // Of which variable it is, nobody knows.
    if (problems.count > told && SENSITIVE.test(text)) hideAssigned(text, ["default", "expression"], problems);
    if (body !== undefined) bodies.push(body);
  }
  return bodies.length === 0 ? undefined : { ...found, bodies };
}

const SENSITIVE = /(?<![\w-])sensitive"?\s*[=:]/;

export function isJsonFile(file: string): boolean {
  return file.endsWith(".json");
}

function parseFile(file: string, text: string, problems: ProblemList): Body | undefined {
  return isJsonFile(file) ? parseHclJson(file, text, problems) : parseHcl(file, text, problems);
}

function listDirectory(directory: string, problems: ProblemList) {
  const entries = entriesOf(directory, problems);
  if (entries === undefined) return undefined;
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const withSuffix = (...suffixes: string[]) =>
    suffixes.flatMap((suffix) => names.filter((name) => name.endsWith(suffix)).map((name) => join(directory, name)));
  const files = withSuffix(".pkr.hcl", ".pkr.json");
  if (files.length === 0) {
    problems.add(`The directory "${directory}" has no template in it`, {
      hint: 'A template is a file whose name ends in ".pkr.hcl" or ".pkr.json"; name a JSON template itself',
    });
    return undefined;
  }
  return { files, directory, autoVarFiles: withSuffix(".auto.pkrvars.hcl", ".auto.pkrvars.json") };
}

function entriesOf(directory: string, problems: ProblemList): Dirent[] | undefined {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    problems.add(`Cannot read the directory "${directory}": ${whyUnreadable(error)}`);
    return undefined;
  }
}
