import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { TemplatePlan } from "./build-plan.ts";
import { parseJson } from "./json/parse-json.ts";
import { readJsonTemplate } from "./json/read-json-template.ts";
import { readRoot } from "./json/root.ts";
import { readText, withoutByteOrderMark } from "./read-text.ts";
import { ProblemList, TemplateError } from "./template-error.ts";

export { TemplateError, type TemplateProblem } from "./template-error.ts";

export interface ReadTemplateOptions {
  /** Of `-var`, in the order given: later ones win, and all win over the files. */
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  /** Of `-var-file`, in the order given: later ones win. */
  readonly varFiles: readonly string[];
  /**
   * Whether to warn of each value of a variable file that the template does not
   * know. Those that look like a typing error are always warned of.
   *
   * @default false
   */
  readonly warnOnUndeclaredVariables?: boolean;
  /** Names of builds; all if empty. */
  readonly only: readonly string[];
  readonly except: readonly string[];
  /** What `env` answers from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `timestamp` and `isotime` tell. */
  readonly startTime: Date;
  /** Reads the template if its path is `-`. */
  readonly stdin?: () => Promise<string>;
  /** What `packer_version` answers. */
  readonly toolVersion?: string;
  /** @default process.cwd() */
  readonly workingDirectory?: string;
}

const STDIN = "<stdin>";

/**
 * Reads a template and makes every decision that needs no call to AWS.
 *
 * It reads the template, the variable files, and looks whether scripts and
 * uploads exist; it changes nothing.
 *
 * @param path of the template; `-` is standard input.
 * @throws {TemplateError} with everything that is wrong.
 */
export async function readTemplate(path: string, options: ReadTemplateOptions): Promise<TemplatePlan> {
  const problems = new ProblemList();
  const warnings = new ProblemList();
  const secrets = new Set<string>();
  const file = path === "-" ? STDIN : path;
  const { startTime, toolVersion = "", workingDirectory = process.cwd() } = options;
  const text = await templateText(path, options, problems);
  const plan =
    text === undefined
      ? undefined
      : await readJsonTemplate(file, text, {
          ...options,
          warnOnUndeclaredVariables: options.warnOnUndeclaredVariables ?? false,
          functions: {
            startTime,
            toolVersion,
            workingDirectory,
            templateDirectory: path === "-" ? undefined : dirname(resolve(workingDirectory, path)),
          },
          problems,
          warnings,
          secrets,
        });
  if (plan === undefined || !problems.isEmpty) throw new TemplateError(file, problems.sorted(secrets));
  return { ...plan, templatePath: path, secrets: [...secrets], warnings: warnings.sorted(secrets) };
}

/**
 * Checks that a template can be read as text, JSON and the sections of a template; what they say is not looked at.
 *
 * @throws {TemplateError} with everything that is wrong.
 */
export async function checkTemplateSyntax(path: string, options: Pick<ReadTemplateOptions, "stdin">): Promise<void> {
  const problems = new ProblemList();
  const file = path === "-" ? STDIN : path;
  const text = await templateText(path, options, problems);
  const json = text === undefined ? undefined : parseJson(file, text, problems);
  if (json !== undefined) readRoot(json, problems);
  if (!problems.isEmpty) throw new TemplateError(file, problems.sorted([]));
}

async function templateText(
  path: string,
  { stdin }: Pick<ReadTemplateOptions, "stdin">,
  problems: ProblemList,
): Promise<string | undefined> {
  if (path === "-") {
    if (stdin !== undefined) return withoutByteOrderMark(STDIN, await stdin(), problems);
    problems.add("Standard input cannot be read here");
    return undefined;
  }
  if (/\.pkr\.(?:hcl|json)$/.test(path) || (await isDirectory(path))) {
    const what = path.includes(".pkr.")
      ? `"${path}" is an HCL2 template`
      : `"${path}" is a directory of HCL2 templates`;
    problems.add(`${what}, which is not supported yet`, { hint: "Name a JSON template" });
    return undefined;
  }
  return readText(path, problems);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Whatever it is, reading it will tell.
    return false;
  }
}
