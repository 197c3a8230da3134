// The command line: names, flags and help. Each command's code is loaded when it runs.
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { nearMiss } from "../base/suggest.ts";
import { type KnownOptions, rewriteOptions } from "./arguments.ts";
import type { CliContext } from "./cli-context.ts";
import type { BuildOptions } from "./commands/build.ts";
import type { DoctorOptions } from "./commands/doctor.ts";
import { registerLocalCommands } from "./commands/local.ts";
import type { ValidateOptions } from "./commands/validate.ts";
import { EXIT_CODES, type ExitCode } from "./exit-codes.ts";
import { unsupported, usageError } from "./usage-error.ts";

const HELP_HINT = 'Run "amibake --help"';

/** Runs the command that the arguments name. */
export async function runProgram(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  const known = knownOptions(program);
  try {
    await program.parseAsync(rewriteOptions(argv, known), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help was asked for, and printed.
    if (error.exitCode === 0) return 0;
    throw usageErrorFrom(error, known);
  }
  return exitCode;
}

function createProgram(context: CliContext, onExitCode: (code: ExitCode) => void): Command {
  const { stdout } = context;
  const program = new Command("amibake")
    .description("Turns a template into an Amazon machine image (AMI) without launching an instance")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // What is wrong is thrown, and printed by main.ts as every error is.
      writeErr: () => {},
      outputError: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("afterAll", exitCodeHelp())
    .helpCommand(true)
    // Without a command: as --help.
    .action((_options, command: Command) => unknownCommand(command));
  addBuild(program, context, onExitCode);
  addValidate(program, context, onExitCode);
  registerLocalCommands(program, context, onExitCode);
  addDoctor(program, context, onExitCode);
  program
    .command("version")
    .description("prints the version")
    .action(async () => {
      const { runVersion } = await import("./commands/version.ts");
      onExitCode(runVersion(context));
    });
  // Only of the program itself: an unknown command is its excess argument, and is answered by name.
  return program.allowExcessArguments();
}

function addBuild(program: Command, context: CliContext, onExitCode: (code: ExitCode) => void): void {
  addTemplateOptions(program.command("build"))
    .description("runs the builds of a template")
    .option("--parallel-builds <number>", "how many builds run at once; 0 is no limit", wholeNumber, 0)
    .option("--local", "bake on the local cloud: no AWS account is used")
    .option("--store <directory>", "with --local: where the local cloud keeps its disks")
    .addOption(new Option("--color", "colours, also where no terminal is"))
    .addOption(new Option("--no-color", "no colours"))
    .option("--timestamp-ui", "begins each line with the time")
    .option("--json", "prints each event as a line of JSON")
    .option("--machine-readable", "prints Packer's machine-readable format")
    .addOption(
      new Option("--on-error <what>", "what to do when a build fails")
        .choices(["cleanup", "abort", "ask", "run-cleanup-provisioner"])
        .default("cleanup"),
    )
    .addOption(new Option("--force").hideHelp())
    .addOption(new Option("--debug").hideHelp())
    .addOption(new Option("--warn-on-undeclared-var").hideHelp())
    .action(async (template: string, options: BuildOptions) => {
      const { runBuild } = await import("./commands/build.ts");
      onExitCode(await runBuild(template, options, context));
    });
}

function addValidate(program: Command, context: CliContext, onExitCode: (code: ExitCode) => void): void {
  addTemplateOptions(program.command("validate"))
    .description("checks a template; nothing is asked of AWS")
    .option("--syntax-only", "checks that it can be read, and not what it says")
    .option("--json", "prints the result as JSON")
    .action(async (template: string, options: ValidateOptions) => {
      const { runValidate } = await import("./commands/validate.ts");
      onExitCode(await runValidate(template, options, context));
    });
}

function addDoctor(program: Command, context: CliContext, onExitCode: (code: ExitCode) => void): void {
  program
    .command("doctor")
    .description("tells what this host lacks, and the command that mends it")
    .option("--aws", "asks AWS for each permission that a build needs; changes nothing")
    .option("--json", "prints the checks as JSON")
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import("./commands/doctor.ts");
      onExitCode(await runDoctor(options, context));
    });
}

/** What `build` and `validate` share. */
function addTemplateOptions(command: Command): Command {
  return command
    .argument("<template>", 'a template file; "-" is standard input')
    .option("--var <name=value>", "sets a variable; may be repeated", collect)
    .option("--var-file <file>", "reads variables from a file; may be repeated", collect)
    .option("--only <builds>", "only these builds, separated by commas", splitCommas)
    .option("--except <builds>", "all builds but these, separated by commas", splitCommas);
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

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("it is not a whole number");
  return Number(value);
}

function exitCodeHelp(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`);
  return ["", "Exit codes:", ...lines, "", 'Options work with one dash too, as in Packer: -var "a=b" -only=x'].join(
    "\n",
  );
}

// Packer's commands that another version of amibake may bring.
const PACKER_COMMANDS = ["console", "fix", "fmt", "hcl2_upgrade", "init", "inspect", "plugins"];

function unknownCommand(program: Command): void {
  const [name] = program.args;
  if (name === undefined) throw usageError("Cannot run amibake without a command", HELP_HINT);
  if (PACKER_COMMANDS.includes(name)) throw unsupported(`the command "${name}"`);
  const meant = nearMiss(
    name,
    program.commands.map((command) => command.name()),
  );
  throw usageError(
    `Cannot run "${name}": there is no such command`,
    meant === undefined ? 'Run "amibake --help": it lists the commands' : `Did you mean "amibake ${meant}"?`,
  );
}

/** Of every command: whether a name takes a value is the same in all of them. */
function knownOptions(program: Command): KnownOptions {
  const withValue = new Set<string>();
  const boolean = new Set<string>();
  const visit = (command: Command): void => {
    for (const option of command.options) {
      (option.required || option.optional ? withValue : boolean).add(option.name().replace(/^no-/, ""));
    }
    command.commands.forEach(visit);
  };
  visit(program);
  return { withValue, boolean };
}

/** Commander's "error: option '--only <builds>' argument missing" as an error of ours. */
function usageErrorFrom({ code, message }: CommanderError, known: KnownOptions): Error {
  const text = message
    .replace(/^error: /, "")
    .replace(/\n.*$/s, "")
    .replaceAll("'", '"');
  if (code !== "commander.unknownOption") {
    const [what = "", why = ""] = text.split(/\. (?=\S)/);
    return usageError(`Cannot read the command line: ${what}${why && `: ${why.replace(/\.$/, "")}`}`, HELP_HINT);
  }
  // Without its value, which may be a secret.
  const [, option = ""] = /"(-[^"=]*)/.exec(text) ?? [];
  const meant = nearMiss(option.replace(/^--?/, ""), [...known.withValue, ...known.boolean]);
  return usageError(
    `Cannot read the command line: unknown option "${option}"`,
    meant === undefined ? HELP_HINT : `Did you mean --${meant}?`,
  );
}
