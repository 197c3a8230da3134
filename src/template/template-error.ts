import { ToolError } from "../base/errors.ts";
import type { Problem } from "../base/problems.ts";
import { countOf } from "../base/units.ts";

/** Everything that is wrong with a template, in the order of the file. */
export class TemplateError extends ToolError {
  override readonly name = "TemplateError";
  readonly problems: readonly Problem[];

  constructor(templatePath: string, problems: readonly Problem[]) {
    const count = `it has ${countOf(problems.length, "problem")}`;
    super("ERR_TEMPLATE", `Cannot use the template "${templatePath}": ${count}`, { fault: "usage" });
    this.problems = problems;
  }
}
