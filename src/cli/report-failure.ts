import { systemCode, ToolError } from "../base/errors.ts";
import { takeMachineReadable } from "./arguments.ts";
import type { CliContext } from "./cli-context.ts";
import { type ExitCode, exitCodeOfError } from "./exit-codes.ts";
import { createCleaner } from "./ui/clean-events.ts";
import { chooseColours } from "./ui/create-renderer.ts";
import { formatError } from "./ui/format-error.ts";
import { sayAside } from "./ui/say.ts";

/** Prints why a command failed, in the form that the command line asked for. */
export function reportFailure(failure: unknown, argv: readonly string[], context: CliContext): ExitCode {
  const thrown = explainRemovedDirectory(failure);
  const exitCode = exitCodeOfError(thrown);
  const error = createCleaner(context.secrets).error(thrown);
  // The options may be what is wrong, so they are looked for by hand.
  const { isMachineReadable } = takeMachineReadable(argv);
  if (argv.includes("--json") || argv.includes("-json")) {
    const record = { time: new Date().toISOString(), type: "error", error, exitCode };
    context.stdout.write(`${JSON.stringify(record)}\n`);
  } else if (isMachineReadable || context.isMachineReadable) {
    const lines = formatError(error, chooseColours(context, false));
    sayAside(lines.join("\n"), { ...context, isMachineReadable: true });
  } else {
    const colours = chooseColours({ ...context, stdout: context.stderr });
    for (const line of formatError(error, colours)) context.stderr.write(`${line}\n`);
  }
  return exitCode;
}

/** Whatever asks for the working directory, here or in Node itself, meets it when that is gone. */
function explainRemovedDirectory(error: unknown): unknown {
  const isOfDirectory = error instanceof Error && "syscall" in error && error.syscall === "uv_cwd";
  if (!isOfDirectory) return error;
  const reason = systemCode(error) === "ENOENT" ? "it has been removed" : error.message;
  return new ToolError("ERR_WORKING_DIRECTORY", `Cannot use the working directory: ${reason}`, {
    hint: "Change to one that exists: cd /",
    fault: "usage",
  });
}
