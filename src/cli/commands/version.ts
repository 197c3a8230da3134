import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { machineReadableLine } from "../ui/machine-readable-line.ts";
import { say } from "../ui/say.ts";

/** Prints the version. `main.ts` answers the plain question itself, before anything is loaded. */
export function runVersion(context: CliContext): ExitCode {
  const { stdout, version, isMachineReadable } = context;
  say(`amibake v${version}`, context);
  if (!isMachineReadable) return 0;
  const [number = "", prerelease = ""] = version.split(/-(.*)/s);
  const now = new Date();
  stdout.write(machineReadableLine(now, "", "version", [number]));
  // Packer's own spelling.
  stdout.write(machineReadableLine(now, "", "version-prelease", [prerelease]));
  stdout.write(machineReadableLine(now, "", "version-commit", [""]));
  return 0;
}
