import { ToolError } from "../base/errors.ts";
import { type Problem, ProblemList } from "../base/problems.ts";
import { openHclConsole } from "./hcl2/config/hcl-evaluator.ts";
import type { OpenHclOptions } from "./hcl2/config/open-hcl-template.ts";
import { openJsonConsole } from "./json/json-evaluator.ts";
import {
  isHclTemplate,
  type ReadTemplateOptions,
  STDIN,
  templateText,
  throwTooMany,
  unlessTooMany,
} from "./read-template.ts";
import { TemplateError } from "./template-error.ts";

/** Evaluates what a person types, with the variables of a template. */
export interface TemplateConsole {
  readonly language: "json" | "hcl2";
  /** What must never be printed. */
  readonly secrets: readonly string[];
  /**
   * The value, as it is printed.
   *
   * @param problems what is wrong with `text`, which is then called `file`.
   */
  evaluate(file: string, text: string, problems: ProblemList): string | undefined;
  /** Every variable with its value, as they are printed. */
  variables(): string;
}

export interface ConsoleTemplateOptions extends ReadTemplateOptions {
  /** Where no template tells it. */
  readonly language: "json" | "hcl2";
}

/**
 * @param path of the template; without one, there are no variables.
 * @throws {TemplateError} with everything that is wrong with the template's variables: nothing else of it is looked at.
 */
export async function openConsole(path: string | undefined, options: ConsoleTemplateOptions): Promise<TemplateConsole> {
  const file = path === undefined ? "<none>" : path === "-" ? STDIN : path;
  const problems = new ProblemList({ onFull: throwTooMany });
  const secrets = new Set<string>();
  const isHcl = path === undefined ? options.language === "hcl2" : isHclTemplate(path);
  const opened = await unlessTooMany(async () => {
    if (isHcl) return openHclConsole(path, hclOptions(options, { problems, secrets }));
    const text = path === undefined ? "" : await templateText(path, options, problems);
    if (text === undefined) return undefined;
    return openJsonConsole(file, path === undefined ? undefined : text, { ...options, path, problems, secrets });
  });
  if (opened === undefined || !problems.isEmpty) throw new TemplateError(file, problems.sorted(secrets));
  return opened;
}

/** For a template whose values are wanted, and nothing else of it. */
export function hclOptions(
  options: ReadTemplateOptions,
  found: { readonly problems: ProblemList; readonly secrets: Set<string> },
): OpenHclOptions {
  // Nobody is asked for values: what a template declares is to be told at once, and anywhere.
  const { toolVersion = "", workingDirectory = process.cwd(), foreignValues: _foreignValues, ...rest } = options;
  const warnings = new ProblemList();
  return { ...rest, ...found, toolVersion, workingDirectory, warnings, warnOnUndeclaredVariables: false };
}

/** What was typed cannot be evaluated. */
export class ExpressionError extends ToolError {
  override readonly name = "ExpressionError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super("ERR_EXPRESSION", "Cannot evaluate this", { fault: "usage" });
    this.problems = problems;
  }
}

/** @throws {ExpressionError} */
export function evaluateTyped(template: TemplateConsole, file: string, text: string): string {
  const problems = new ProblemList();
  problems.addSource(file, text);
  const value = template.evaluate(file, text, problems);
  if (value === undefined || !problems.isEmpty) throw new ExpressionError(problems.sorted(template.secrets));
  return value;
}
