import type { CliContext } from "./cli-context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { machineReadableLine } from "./ui/machine-readable-line.ts";

const VERSION_ARGUMENTS: ReadonlySet<string> = new Set(["version", "-version", "--version", "-v"]);

/** Whether the arguments ask for the version and nothing else. */
export function isVersionRequest(argv: readonly string[]): boolean {
  return argv.length === 1 && VERSION_ARGUMENTS.has(argv[0] ?? "");
}

export function printVersion(
  { stdout, version }: Pick<CliContext, "stdout" | "version">,
  isMachineReadable: boolean,
): ExitCode {
  const text = `amibake v${version}`;
  if (!isMachineReadable) {
    stdout.write(`${text}\n`);
    return 0;
  }
  const [number = "", prerelease = ""] = version.split(/-(.*)/s);
  const now = new Date();
  stdout.write(machineReadableLine(now, "", "ui", ["say", text]));
  stdout.write(machineReadableLine(now, "", "version", [number]));
  // Packer's own spelling.
  stdout.write(machineReadableLine(now, "", "version-prelease", [prerelease]));
  stdout.write(machineReadableLine(now, "", "version-commit", [""]));
  return 0;
}
