// The commands that look into templates and build nothing: names, flags and help. Each one's code is loaded when it runs.
import { type Command, Option } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import type { ConsoleOptions } from "./console.ts";
import type { InspectOptions } from "./inspect.ts";
import { addVariableOptions } from "./template-flags.ts";

type OnExitCode = (code: ExitCode) => void;

export function registerTemplateCommands(program: Command, context: CliContext, onExitCode: OnExitCode): void {
  addVariableOptions(program.command("inspect"))
    .description("tells what a template declares: variables, builds, provisioners")
    .argument("<template>", 'a template file; "-" is standard input')
    .option("--machine-readable", "prints Packer's machine-readable format")
    .action(async (template: string, options: InspectOptions) => {
      const { runInspect } = await import("./inspect.ts");
      onExitCode(await runInspect(template, options, context));
    });
  addVariableOptions(program.command("console"))
    .description("evaluates expressions: at a prompt, or of standard input, of which it prints the last one's value")
    .argument("[template]", "a template file, whose variables can be used")
    .addOption(
      new Option("--config-type <language>", "the language, where no template tells it").choices(["json", "hcl2"]),
    )
    .action(async (template: string | undefined, options: ConsoleOptions) => {
      const { runConsole } = await import("./console.ts");
      onExitCode(await runConsole(template, options, context));
    });
  program
    .command("schema")
    .description("prints the JSON Schema of JSON templates, for editors (docs/editors.md)")
    .action(async (options: unknown) => {
      const { runSchema } = await import("./schema.ts");
      onExitCode(await runSchema(options, context));
    });
}
