import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where this host keeps what outlives a command: for root one directory for all its users, as for the journals of
 * builds; for others their own.
 */
export function stateDirectory(environment: Environment, isRoot: boolean = process.getuid?.() === 0): string {
  const named = environment["AMIBAKE_STATE_DIR"];
  if (named) return named;
  if (isRoot) return SYSTEM_STATE_DIRECTORY;
  // The XDG specification: a path that is not absolute is to be ignored.
  const stateHome = environment["XDG_STATE_HOME"];
  if (stateHome?.startsWith("/")) return join(stateHome, "amibake");
  const home = environment["HOME"];
  return home?.startsWith("/") ? join(home, ".local/state/amibake") : SYSTEM_STATE_DIRECTORY;
}

export const SYSTEM_STATE_DIRECTORY = "/var/lib/amibake";
