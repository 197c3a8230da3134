import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { say, sayAside } from "../ui/say.ts";
import { templateDataSources } from "./template-data-sources.ts";
import { readTemplateWith, type TemplateOptions, templateWarnings } from "./template-options.ts";

export interface ValidateOptions extends TemplateOptions {
  readonly syntaxOnly?: boolean;
  /** Of `-no-warn-undeclared-var`: true without it. */
  readonly warnUndeclaredVar?: boolean;
  readonly evaluateDatasources?: boolean;
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
    await checkTemplateSyntax(templatePath, { stdin: () => context.stdin });
    if (options.json) context.stdout.write(`${JSON.stringify({ type: "valid" })}\n`);
    else say(SYNTAX_IS_VALID, context);
    return 0;
  }
  using signal = context.abortOnSignals();
  const dataSources = options.evaluateDatasources ? templateDataSources(context, { signal }) : undefined;
  const readOptions = { ...options, warnOnUndeclaredVar: options.warnUndeclaredVar ?? true, allowsNoBuilds: true };
  const plan = await readTemplateWith(templatePath, readOptions, context, { signal, dataSources });
  const builds = plan.builds.map(({ name, type }) => ({ name, type }));
  const warnings = templateWarnings(plan);
  if (options.json) {
    context.stdout.write(`${JSON.stringify({ type: "valid", builds, warnings })}\n`);
    return 0;
  }
  for (const warning of warnings) sayAside(warning, context);
  say("The configuration is valid.", context);
  return 0;
}
