// The command. The only catch-all, the only look at `process`, the only exit code.
//
// Everything is loaded with `import()`, and only when it is needed: the version
// must come at once, so it takes one file.
import type { ExitCode } from "./exit-codes.ts";
import { amibakeVersion } from "./version.ts";

const VERSION_ARGUMENTS: ReadonlySet<string> = new Set(["version", "-version", "--version", "-v"]);

// The SDK warns on every run about Node 20, which we support as long as the SDK does.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
// EPIPE: the reader, such as `head`, has seen enough. What is written later is dropped.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

const commandLine = process.argv.slice(2);

/** When the command has ended. */
export const ended = main().then((exitCode) => {
  process.exitCode = exitCode;
});

async function main(): Promise<ExitCode> {
  if (isVersionRequest(commandLine)) {
    process.stdout.write(`amibake v${amibakeVersion()}\n`);
    return 0;
  }
  const [{ createContext }, { takeMachineReadable }] = await Promise.all([
    import("./create-context.ts"),
    import("./arguments.ts"),
  ]);
  const { argv, isMachineReadable } = takeMachineReadable(commandLine);
  const context = createContext(process, { version: amibakeVersion(), isMachineReadable });
  try {
    const { runProgram } = await import("./program.ts");
    return await runProgram(isVersionRequest(argv) ? ["version"] : argv, context);
  } catch (error) {
    const { reportFailure } = await import("./report-failure.ts");
    return reportFailure(error, argv, context);
  }
}

function isVersionRequest(argv: readonly string[]): boolean {
  return argv.length === 1 && VERSION_ARGUMENTS.has(argv[0] ?? "");
}
