import { dirname, resolve } from "node:path";
import { createProblemSources, ProblemList } from "../base/problems.ts";
import type { TemplatePlan } from "./build-plan.ts";
import type { DataSources } from "./data-sources.ts";
import { type ForeignValues, NO_FOREIGN_VALUES } from "./foreign-values.ts";
import { isDirectory } from "./is-directory.ts";
import { readStream, readText } from "./read-text.ts";
import { TemplateError } from "./template-error.ts";

export { TemplateError } from "./template-error.ts";

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
  /**
   * Whether the template, or what `only` and `except` leave of it, may be without builds: that is a warning then, and no
   * problem. A JSON template needs builders all the same, as in Packer.
   *
   * @default false
   */
  readonly allowsNoBuilds?: boolean;
  /** What `env` answers from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `timestamp` and `isotime` tell. */
  readonly startTime: Date;
  /**
   * Who answers the data sources of an HCL2 template. Without it nobody is asked, and builds that need an answer are not in
   * the plan.
   */
  readonly dataSources?: DataSources;
  /** What `vault` and its like answer; see `readWithForeignValues`. Missing: they are refused. */
  readonly foreignValues?: ForeignValues;
  /** Reads the template if its path is `-`. */
  readonly stdin?: () => AsyncIterable<Uint8Array | string>;
  /** What `packer_version` answers. */
  readonly toolVersion?: string;
  /** @default process.cwd() */
  readonly workingDirectory?: string;
}

export const STDIN = "<stdin>";

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
  const sources = createProblemSources();
  const problems = new ProblemList({ onFull: throwTooMany, sources });
  const warnings = new ProblemList({ sources });
  const secrets = new Set<string>();
  const file = path === "-" ? STDIN : path;
  const { startTime, toolVersion = "", workingDirectory = process.cwd() } = options;
  const plan = await unlessTooMany(async () => {
    const { dataSources, foreignValues = NO_FOREIGN_VALUES, warnOnUndeclaredVariables = false } = options;
    const nothingToBuild = options.allowsNoBuilds ? warnings : problems;
    const shared = {
      ...options,
      ...{ foreignValues, warnOnUndeclaredVariables, problems, warnings, nothingToBuild, secrets },
    };
    if (isHclTemplate(path)) {
      const { readHclTemplate } = await hclReader();
      return readHclTemplate(path, { ...shared, startTime, toolVersion, workingDirectory, dataSources });
    }
    const text = await templateText(path, options, problems);
    if (text === undefined) return undefined;
    const { readJsonTemplate } = await jsonReader();
    return readJsonTemplate(file, text, {
      ...shared,
      functions: {
        startTime,
        toolVersion,
        workingDirectory,
        templateDirectory: path === "-" ? undefined : dirname(resolve(workingDirectory, path)),
      },
    });
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
  const problems = new ProblemList({ onFull: throwTooMany });
  const file = path === "-" ? STDIN : path;
  await unlessTooMany(async () => {
    if (isHclTemplate(path)) return (await hclReader()).checkHclSyntax(path, problems);
    const text = await templateText(path, options, problems);
    if (text !== undefined) (await jsonReader()).checkJsonSyntax(file, text, problems);
  });
  if (!problems.isEmpty) throw new TemplateError(file, problems.sorted([]));
}

/** There are so many problems that reading on is of no use. */
class TooManyProblems extends Error {
  override readonly name = "TooManyProblems";
}

export function throwTooMany(): never {
  throw new TooManyProblems();
}

/** With too many problems, those that were found by then are the answer. */
export async function unlessTooMany<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TooManyProblems)) throw error;
    return undefined;
  }
}

export async function templateText(
  path: string,
  { stdin }: Pick<ReadTemplateOptions, "stdin">,
  problems: ProblemList,
): Promise<string | undefined> {
  if (path === "-") {
    if (stdin !== undefined) return readStream(STDIN, stdin(), problems);
    problems.add("Standard input cannot be read here");
    return undefined;
  }
  return readText(path, problems);
}

// Each is loaded for the templates that need it.
function jsonReader() {
  return import("./json/read-json-template.ts");
}

function hclReader() {
  return import("./hcl2/config/read-hcl-template.ts");
}

/** As in Packer: by its name, or a directory. */
export function isHclTemplate(path: string): boolean {
  return path !== "-" && (/\.pkr\.(?:hcl|json)$/.test(path) || isDirectory(path));
}
