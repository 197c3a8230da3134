import type { Command } from "commander";
import { countOf } from "../../base/units.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { say, sayAside } from "../ui/say.ts";

export interface FixOptions {
  readonly validate: boolean;
}

export function registerFix(program: Command, context: CliContext, onExitCode: (code: ExitCode) => void): void {
  program
    .command("fix")
    .description("prints a JSON template with what is old in it rewritten; docs/template.md lists what that is")
    .argument("<template>", 'a template file, which stays as it is; "-" is standard input')
    .option("--validate", "checks the result", true)
    .option("--no-validate", "does not check the result")
    .action(async (template: string, options: FixOptions) => onExitCode(await runFix(template, options, context)));
}

async function runFix(path: string, { validate }: FixOptions, context: CliContext): Promise<ExitCode> {
  const { checkFixedTemplate, fixTemplateFile } = await import("../../template/fix/fix-file.ts");
  const { text, changes } = await fixTemplateFile(path, () => context.stdin);
  say(text.replace(/\n$/, ""), context);
  for (const { path: place, what, fixer } of changes) sayAside(`${place} ${what} (${fixer})`, context);
  sayAside(changes.length === 0 ? "Nothing is old" : countOf(changes.length, "change"), context);
  if (validate) checkFixedTemplate(path, text);
  return 0;
}
