import { takeMachineReadable } from "./arguments.ts";
import type { CliContext } from "./cli-context.ts";
import { type ExitCode, exitCodeOfError } from "./exit-codes.ts";
import { createCleaner } from "./ui/clean-events.ts";
import { chooseColours } from "./ui/create-renderer.ts";
import { formatError } from "./ui/format-error.ts";
import { machineReadableLine } from "./ui/machine-readable-line.ts";

/** Prints why a command failed, in the form that the command line asked for. */
export function reportFailure(thrown: unknown, argv: readonly string[], context: CliContext): ExitCode {
  const exitCode = exitCodeOfError(thrown);
  const error = createCleaner(credentialsIn(context.environment)).error(thrown);
  // The options may be what is wrong, so they are looked for by hand.
  const { isMachineReadable } = takeMachineReadable(argv);
  if (argv.includes("--json") || argv.includes("-json")) {
    const record = { time: new Date().toISOString(), type: "error", error, exitCode };
    context.stdout.write(`${JSON.stringify(record)}\n`);
  } else if (isMachineReadable || context.isMachineReadable) {
    const lines = formatError(error, chooseColours(context, false));
    context.stdout.write(machineReadableLine(new Date(), "", "ui", ["error", lines.join("\n")]));
  } else {
    const colours = chooseColours({ ...context, stdout: context.stderr });
    for (const line of formatError(error, colours)) context.stderr.write(`${line}\n`);
  }
  return exitCode;
}

const CREDENTIAL_VARIABLES = ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"];

/** The values in the environment that must never be printed. */
export function credentialsIn(environment: Readonly<Record<string, string | undefined>>): string[] {
  return CREDENTIAL_VARIABLES.flatMap((name) => environment[name] ?? []);
}
