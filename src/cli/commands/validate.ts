import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { unsupported } from "../usage-error.ts";
import { readTemplateWith, type TemplateOptions, templateWarnings } from "./template-options.ts";

export interface ValidateOptions extends TemplateOptions {
  readonly syntaxOnly?: boolean;
  readonly json?: boolean;
}

/** Checks a template. Every problem is an error of the reader, which tells them all at once. */
export async function runValidate(
  templatePath: string,
  options: ValidateOptions,
  context: CliContext,
): Promise<ExitCode> {
  if (options.syntaxOnly) throw unsupported("-syntax-only");
  const plan = await readTemplateWith(templatePath, options, context);
  const builds = plan.builds.map(({ name, type }) => ({ name, type }));
  const warnings = templateWarnings(plan);
  if (options.json) {
    context.stdout.write(`${JSON.stringify({ type: "valid", builds, warnings })}\n`);
    return 0;
  }
  for (const warning of warnings) context.stderr.write(`${warning}\n`);
  context.stdout.write("The configuration is valid.\n");
  return 0;
}
