import { ToolError } from "../base/errors.ts";
import type { SourceLocation } from "./source-location.ts";

/** One thing that is wrong with a template, a variable file or a variable of the command line. */
export interface TemplateProblem {
  /** Missing for what the command line said. */
  readonly location?: SourceLocation;
  readonly message: string;
  readonly hint?: string;
}

/** Everything that is wrong with a template, in the order of the file. */
export class TemplateError extends ToolError {
  override readonly name = "TemplateError";
  readonly problems: readonly TemplateProblem[];

  constructor(templatePath: string, problems: readonly TemplateProblem[]) {
    const count = problems.length === 1 ? "it has 1 problem" : `it has ${problems.length} problems`;
    super("ERR_TEMPLATE", `Cannot use the template "${templatePath}": ${count}`, { fault: "usage" });
    this.problems = problems;
  }
}

/** Collects problems, so that all are told at once. */
export class ProblemList {
  readonly #problems = new Map<string, TemplateProblem>();

  get isEmpty(): boolean {
    return this.#problems.size === 0;
  }

  /** The same problem at the same place counts once: a provisioner is read for each build. */
  add(message: string, options: { location?: SourceLocation | undefined; hint?: string | undefined } = {}): void {
    const { location, hint } = options;
    const key = `${placeOf(location)} ${message}`;
    this.#problems.set(key, {
      ...(location === undefined ? {} : { location }),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /**
   * Problems of the command line first, then each file from top to bottom.
   *
   * @param secrets values that a message must not quote.
   */
  sorted(secrets: Iterable<string>): TemplateProblem[] {
    const hidden = [...secrets].filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
    const mask = (text: string): string =>
      hidden.reduce((masked, secret) => masked.replaceAll(secret, "<sensitive>"), text);
    return [...this.#problems.values()].sort(byPlace).map(({ message, hint, ...rest }) => ({
      ...rest,
      message: mask(message),
      ...(hint === undefined ? {} : { hint: mask(hint) }),
    }));
  }
}

function placeOf(location: SourceLocation | undefined): string {
  return location === undefined ? "" : `${location.file}:${location.line}:${location.column}`;
}

function byPlace({ location: a }: TemplateProblem, { location: b }: TemplateProblem): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
