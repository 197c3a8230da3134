// Where the blocks of snapshots are kept between builds, and how many.
import { join, resolve } from "node:path";
import { GIB } from "../../base/units.ts";
import type { CliContext } from "../cli-context.ts";
import { usageError } from "../usage-error.ts";

type Environment = CliContext["environment"];

const CACHE_BYTES = 10 * GIB;
const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 1024, MiB: 1024 ** 2, GiB: GIB, TiB: 1024 ** 4 };

/** `blocks` in AMIBAKE_CACHE_DIR, or in the user's cache folder. Absolute; it need not exist. */
export function blockCacheDirectory(environment: Environment): string {
  const named = environment["AMIBAKE_CACHE_DIR"];
  if (named) return join(resolve(named), "blocks");
  // The XDG specification: a path that is not absolute is to be ignored.
  const cacheHome = environment["XDG_CACHE_HOME"];
  if (cacheHome?.startsWith("/")) return join(cacheHome, "amibake/blocks");
  const home = environment["HOME"];
  if (home?.startsWith("/")) return join(home, ".cache/amibake/blocks");
  throw usageError(
    "Cannot find a place for the block cache: HOME is not set",
    "Say where: AMIBAKE_CACHE_DIR=DIRECTORY",
  );
}

/** AMIBAKE_CACHE_BYTES, or 10 GiB. */
export function blockCacheBytes(environment: Environment): number {
  const text = environment["AMIBAKE_CACHE_BYTES"];
  if (!text) return CACHE_BYTES;
  const [, digits = "", unit = ""] = /^(\d+) ?(|[KMGT]iB)$/.exec(text) ?? [];
  const bytes = digits === "" ? Number.NaN : Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw usageError(
    `Cannot use "${text}" as the size of the block cache`,
    "Give bytes or a unit: AMIBAKE_CACHE_BYTES=20GiB",
  );
}

/** The argument vector that runs the block server of a cache. */
export function blockServerCommand(
  { selfCommand }: Pick<CliContext, "selfCommand">,
  { cacheDirectory, cacheBytesMax }: { readonly cacheDirectory: string; readonly cacheBytesMax: number },
): string[] {
  return [...selfCommand, "block-server", "--cache", cacheDirectory, "--bytes", String(cacheBytesMax)];
}

/** Where the builds of a command keep blocks, and who serves them. */
export function blockCachePlace({ environment, selfCommand }: Pick<CliContext, "environment" | "selfCommand">): {
  readonly directory: string;
  readonly serverCommand: readonly string[];
} {
  const directory = blockCacheDirectory(environment);
  const place = { cacheDirectory: directory, cacheBytesMax: blockCacheBytes(environment) };
  return { directory, serverCommand: blockServerCommand({ selfCommand }, place) };
}
