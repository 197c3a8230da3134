#!/usr/bin/env node
// The command. The only catch-all, the only look at `process`, the only exit code.
import { abortOnSignals, Interruption } from "./abort-on-signals.ts";
import { takeMachineReadable } from "./arguments.ts";
import type { CliContext } from "./cli-context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { amibakeVersion } from "./version.ts";
import { isVersionRequest, printVersion } from "./version-request.ts";

// The SDK warns on every run about Node 20, which we support as long as the SDK does.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const context = createContext();
const { argv, isMachineReadable } = takeMachineReadable(process.argv.slice(2));
process.exitCode = await main();

async function main(): Promise<ExitCode> {
  // Everything else is loaded only when it is needed: the version must come at once.
  if (isVersionRequest(argv)) return printVersion(context, isMachineReadable);
  try {
    const { runProgram } = await import("./program.ts");
    return await runProgram(argv, { ...context, isMachineReadable });
  } catch (error) {
    const { reportFailure } = await import("./report-failure.ts");
    return reportFailure(error, argv, { ...context, isMachineReadable });
  }
}

function createContext(): Omit<CliContext, "isMachineReadable"> {
  let onReaderGone = () => {};
  for (const stream of [process.stdout, process.stderr]) {
    // EPIPE: the reader, such as `head`, has seen enough. What is written later is dropped.
    stream.on("error", () => onReaderGone());
  }
  return {
    environment: { ...process.env },
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    selfCommand: [process.execPath, ...process.execArgv, process.argv[1] ?? ""],
    version: amibakeVersion(),
    abortOnSignals() {
      const signal = abortOnSignals(process);
      // As SIGPIPE would end a program in C, only with everything released.
      onReaderGone = () => signal.abort(new Interruption("The reader of the output has gone"));
      return signal;
    },
  };
}
