import { text as readAll } from "node:stream/consumers";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { readTemplateWith, type TemplateOptions, templateWarnings } from "./template-options.ts";

export interface ValidateOptions extends TemplateOptions {
  readonly syntaxOnly?: boolean;
  readonly json?: boolean;
}

// Packer's words.
const SYNTAX_IS_VALID = "Syntax-only check passed. Everything looks okay.";

/** Checks a template. Every problem is an error of the reader, which tells them all at once. */
export async function runValidate(
  templatePath: string,
  options: ValidateOptions,
  context: CliContext,
): Promise<ExitCode> {
  if (options.syntaxOnly) {
    const { checkTemplateSyntax } = await import("../../template/read-template.ts");
    await checkTemplateSyntax(templatePath, { stdin: () => readAll(context.stdin) });
    context.stdout.write(options.json ? `${JSON.stringify({ type: "valid" })}\n` : `${SYNTAX_IS_VALID}\n`);
    return 0;
  }
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
