// The command line: names, flags and help. Each command's code is loaded when it runs.
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { nearMiss } from "../base/suggest.ts";
import { type KnownOptions, rewriteOptions } from "./arguments.ts";
import type { CliContext } from "./cli-context.ts";
import type { BlockServerFlags } from "./commands/block-server.ts";
import type { BuildOptions } from "./commands/build.ts";
import type { CleanCommandOptions } from "./commands/clean.ts";
import type { DoctorOptions } from "./commands/doctor.ts";
import { registerFix } from "./commands/fix.ts";
import { registerLocalCommands } from "./commands/local.ts";
import { registerSnapshotCommands } from "./commands/snapshot.ts";
import { registerTemplateCommands } from "./commands/template.ts";
import { addTemplateOptions } from "./commands/template-flags.ts";
import type { ValidateOptions } from "./commands/validate.ts";
import { EXIT_CODES, type ExitCode } from "./exit-codes.ts";
import { unsupported, usageError } from "./usage-error.ts";

const HELP_HINT = 'Run "amibake --help"';

type OnExitCode = (code: ExitCode) => void;

interface CommandGroup {
  readonly names: readonly string[];
  readonly add: (program: Command, context: CliContext, onExitCode: OnExitCode) => void;
}

/** All commands, in the order of the help. */
const COMMAND_GROUPS: readonly CommandGroup[] = [
  { names: ["build"], add: addBuild },
  { names: ["validate"], add: addValidate },
  { names: ["inspect", "console", "schema"], add: registerTemplateCommands },
  { names: ["fix"], add: registerFix },
  { names: ["local"], add: registerLocalCommands },
  { names: ["snapshot", "verify"], add: registerSnapshotCommands },
  { names: ["clean"], add: addClean },
  { names: ["doctor"], add: addDoctor },
  { names: ["cache", "block-server"], add: addCache },
  { names: ["version"], add: addVersion },
];

/** Runs the command that the arguments name. */
export async function runProgram(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram(argv, context, (code) => {
    exitCode = code;
  });
  const known = knownOptions(program);
  refuseUnknownHelp(program, argv);
  try {
    await program.parseAsync(rewriteOptions(argv, known), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help was asked for, and printed.
    if (error.exitCode === 0) return 0;
    throw usageErrorFrom(error, commandOf(program, argv));
  }
  return exitCode;
}

function createProgram(argv: readonly string[], context: CliContext, onExitCode: OnExitCode): Command {
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
  for (const { add } of commandGroupsFor(argv)) add(program, context, onExitCode);
  // Only of the program itself: an unknown command is its excess argument, and is answered by name.
  return program.allowExcessArguments();
}

/** Of the first argument, if it is a command: to describe all of them takes milliseconds. */
function commandGroupsFor([name = ""]: readonly string[]): readonly CommandGroup[] {
  const group = COMMAND_GROUPS.find(({ names }) => names.includes(name));
  return group === undefined ? COMMAND_GROUPS : [group];
}

function addBuild(program: Command, context: CliContext, onExitCode: OnExitCode): void {
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
      new Option(
        "--on-error <what>",
        "what becomes of a failed build: remove it, keep it, ask, or keep it after the error-cleanup-provisioner",
      )
        .choices(["cleanup", "abort", "ask", "run-cleanup-provisioner"])
        .default("cleanup"),
    )
    .option("--debug", "pauses after each step; builds run one after the other")
    .addOption(new Option("--force").hideHelp())
    .option("--warn-on-undeclared-var", "warns of values in variable files that the template does not know")
    .action(async (template: string, options: BuildOptions) => {
      const { runBuild } = await import("./commands/build.ts");
      onExitCode(await runBuild(template, options, context));
    });
}

function addValidate(program: Command, context: CliContext, onExitCode: OnExitCode): void {
  addTemplateOptions(program.command("validate"))
    .description("checks a template; nothing is asked of AWS, but for --evaluate-datasources")
    .option("--syntax-only", "checks that it can be read, and not what it says")
    .option("--evaluate-datasources", "asks the data sources of an HCL2 template, and checks what depends on them")
    .option("--no-warn-undeclared-var", "does not warn of values in variable files that the template does not know")
    .option("--json", "prints the result as JSON")
    .action(async (template: string, options: ValidateOptions) => {
      const { runValidate } = await import("./commands/validate.ts");
      onExitCode(await runValidate(template, options, context));
    });
}

function addClean(program: Command, context: CliContext, onExitCode: OnExitCode): void {
  program
    .command("clean")
    .description("undoes what builds left that were killed; never touches one that runs, nor a finished image")
    .option("--dry-run", "only tells what would be removed")
    .option("--older-than [duration]", "only what was begun at least this long ago (24h, if no duration is given)")
    .option("--by-tag", "lists what carries the tag amibake:draft; with --older-than, removes it")
    .option("--region <region>", "with --by-tag: where to look")
    .option("--local", "with --by-tag: look in the local cloud")
    .option("--store <directory>", "with --local: where that keeps its disks")
    .option("--settle <duration>", "how long after a call its effect may show, where its answer was lost", "60s")
    .option("--forget <build>", "drops the journal of a build whose cloud or host is gone for good")
    .option("--json", "prints each event as a line of JSON")
    .action(async (options: CleanCommandOptions) => {
      const { runClean } = await import("./commands/clean.ts");
      onExitCode(await runClean(options, context));
    });
}

function addDoctor(program: Command, context: CliContext, onExitCode: OnExitCode): void {
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

function addCache(program: Command, context: CliContext, onExitCode: OnExitCode): void {
  const cache = program.command("cache").description("the blocks of snapshots that are kept between builds");
  cache
    .command("status")
    .description("tells where they are and how many (AMIBAKE_CACHE_DIR, AMIBAKE_CACHE_BYTES)")
    .option("--json", "prints it as JSON")
    .action(async (options: { json?: boolean }) => {
      const { runCacheStatus } = await import("./commands/cache.ts");
      onExitCode(await runCacheStatus(options, context));
    });
  cache
    .command("clear")
    .description("deletes them, unless a build uses them")
    .action(async (options: unknown) => {
      const { runCacheClear } = await import("./commands/cache.ts");
      onExitCode(await runCacheClear(options, context));
    });
  // What builds run in the background.
  program
    .command("block-server", { hidden: true })
    .requiredOption("--cache <directory>", "where blocks are kept")
    .requiredOption("--bytes <number>", "how many bytes of them", wholeNumber)
    .action(async (options: BlockServerFlags) => {
      const { runBlockServerCommand } = await import("./commands/block-server.ts");
      onExitCode(await runBlockServerCommand(options, context));
    });
}

function addVersion(program: Command, context: CliContext, onExitCode: OnExitCode): void {
  program
    .command("version")
    .description("prints the version")
    .action(async () => {
      const { runVersion } = await import("./commands/version.ts");
      onExitCode(runVersion(context));
    });
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
const PACKER_COMMANDS = ["fmt", "hcl2_upgrade", "init", "plugins"];

function unknownCommand(program: Command): void {
  const [name] = program.args;
  if (name === undefined) throw usageError("Cannot run amibake without a command", HELP_HINT);
  if (PACKER_COMMANDS.includes(name)) throw unsupported(`the command "${name}"`);
  throw noSuchCommand(name, { command: program, names: ["amibake"] });
}

interface NamedCommand {
  readonly command: Command;
  /** `amibake`, then the name of each command down to this one. */
  readonly names: readonly string[];
}

function noSuchCommand(name: string, { command, names }: NamedCommand): Error {
  const meant = nearMiss(
    name,
    command.commands.map((known) => known.name()),
  );
  const before = names.join(" ");
  return usageError(
    `Cannot run "${[...names.slice(1), name].join(" ")}": there is no such command`,
    meant === undefined ? `Run "${before} --help": it lists the commands` : `Did you mean "${before} ${meant}"?`,
  );
}

/** "help strt", "help local strt": Commander knows nothing to say of it. */
function refuseUnknownHelp(program: Command, argv: readonly string[]): void {
  const group = commandOf(program, argv);
  const [help, ...asked] = argv.slice(group.names.length - 1);
  if (help !== "help") return;
  const found = commandOf(group.command, asked);
  const name = asked[found.names.length - 1];
  if (name === undefined || name === "help" || name.startsWith("-") || found.command.commands.length === 0) return;
  throw noSuchCommand(name, { command: found.command, names: [...group.names, ...found.names.slice(1)] });
}

/** Of every command that is described: whether a name takes a value is the same in all of them. */
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

/** The command that the arguments name, as far as they do. */
function commandOf(program: Command, argv: readonly string[]): NamedCommand {
  const names = ["amibake"];
  let command = program;
  for (const argument of argv) {
    const next = command.commands.find((candidate) => candidate.name() === argument);
    if (next === undefined) break;
    names.push(argument);
    command = next;
  }
  return { command, names };
}

/** Commander's "error: option '--only <builds>' argument missing" as an error of ours. */
function usageErrorFrom({ code, message }: CommanderError, named: NamedCommand): Error {
  const { command, names } = named;
  const helpHint = `Run "${names.join(" ")} --help"`;
  if (code === "commander.help") return usageError("Cannot run it without a command", helpHint);
  const text = message
    .replace(/^error: /, "")
    .replace(/\n.*$/s, "")
    .replaceAll("'", '"');
  if (code === "commander.unknownCommand") return noSuchCommand(/"(.*)"/s.exec(text)?.[1] ?? "", named);
  if (code !== "commander.unknownOption") {
    const [what = "", why = ""] = text.split(/\. (?=\S)/);
    return usageError(`Cannot read the command line: ${what}${why && `: ${why.replace(/\.$/, "")}`}`, helpHint);
  }
  // Without its value, which may be a secret.
  const [, option = ""] = /"(-[^"=]*)/.exec(text) ?? [];
  const known = command.options.flatMap(({ long, hidden }) => (hidden || !long ? [] : long.slice("--".length)));
  const meant = nearMiss(option.replace(/^--?/, ""), known);
  return usageError(
    `Cannot read the command line: unknown option "${option}"`,
    meant === undefined ? helpHint : `Did you mean --${meant}?`,
  );
}
