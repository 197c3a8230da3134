// The flags by which a template is read.
import type { Command } from "commander";

/** What `build` and `validate` share. */
export function addTemplateOptions(command: Command): Command {
  return addVariableOptions(command.argument("<template>", 'a template file; "-" is standard input'))
    .option("--only <builds>", "only these builds, separated by commas", splitCommas)
    .option("--except <builds>", "all builds and post-processors but these, separated by commas", splitCommas);
}

export function addVariableOptions(command: Command): Command {
  return command
    .option("--var <name=value>", "sets a variable; may be repeated", collect)
    .option("--var-file <file>", "reads variables from a file; may be repeated", collect);
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

function splitCommas(value: string): string[] {
  return value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
