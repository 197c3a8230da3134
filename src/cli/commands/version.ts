import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { machineReadableLine } from "../ui/machine-readable-line.ts";

/** Prints the version. `main.ts` answers the plain question itself, before anything is loaded. */
export function runVersion({ stdout, version, isMachineReadable }: CliContext): ExitCode {
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
