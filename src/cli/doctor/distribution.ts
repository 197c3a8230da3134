import { readFile } from "node:fs/promises";
import type { Check } from "./check.ts";

export interface Distribution {
  /** As people know it, e.g. "Debian GNU/Linux 12 (bookworm)". */
  readonly name: string;
  readonly packageManager: "apt" | "dnf" | undefined;
}

/** Reads which distribution this is. One that cannot be told has no package manager. */
export async function readDistribution(path = "/etc/os-release"): Promise<Distribution> {
  const text = await readFile(path, "utf8").catch(() => "");
  const value = (key: string): string => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  const families = new Set([value("ID"), ...value("ID_LIKE").split(" ")]);
  const isOneOf = (...names: readonly string[]) => names.some((name) => families.has(name));
  return {
    name: value("PRETTY_NAME") || "an unknown distribution",
    packageManager: isOneOf("debian", "ubuntu")
      ? "apt"
      : isOneOf("fedora", "rhel", "centos", "amzn")
        ? "dnf"
        : undefined,
  };
}

/** The command lines that install what is missing: this distribution's, or each if it is not known. */
export function installCommands(missing: readonly Check[], packageManager: Distribution["packageManager"]): string[] {
  const packagesOf = (manager: "apt" | "dnf"): string[] => [
    ...new Set(missing.flatMap((check) => check.packages?.[manager] ?? [])),
  ];
  const commands = {
    apt: packagesOf("apt").length === 0 ? [] : [`sudo apt-get install --yes ${packagesOf("apt").join(" ")}`],
    dnf: packagesOf("dnf").length === 0 ? [] : [`sudo dnf install --assumeyes ${packagesOf("dnf").join(" ")}`],
  };
  return packageManager === undefined ? [...commands.apt, ...commands.dnf] : commands[packageManager];
}
