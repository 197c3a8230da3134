import type { DaemonSettings } from "../../local-cloud/daemon/control-protocol.ts";
import type { CliContext } from "../cli-context.ts";
import { usageError } from "../usage-error.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";

/** The flags of a daemon, those that were given. */
export interface DaemonFlags extends StoreOptions {
  readonly port?: number;
  readonly listen?: string;
  readonly imds?: string;
  readonly latency?: "none" | "aws";
  readonly seed?: number;
  readonly nitro?: boolean;
  readonly blocks?: "disk" | "memory";
}

export function daemonSettings(
  flags: DaemonFlags,
  environment: CliContext["environment"],
  isEphemeral: boolean,
): DaemonSettings {
  return {
    storeDirectory: localStoreDirectory(flags, environment),
    listen: flags.listen ?? "127.0.0.1",
    port: flags.port ?? 0,
    imds: flags.imds === undefined ? undefined : hostAndPort(flags.imds),
    latency: flags.latency ?? "none",
    seed: flags.seed ?? 1,
    nitro: flags.nitro ?? false,
    blocks: flags.blocks ?? "disk",
    isEphemeral,
  };
}

/** The flags that give these settings again, as arguments. */
export function daemonArguments({
  storeDirectory,
  listen,
  port,
  imds,
  latency,
  seed,
  nitro,
  blocks,
}: DaemonSettings): string[] {
  return [
    ...["--store", storeDirectory, "--listen", listen, "--port", String(port)],
    ...["--latency", latency, "--seed", String(seed), "--blocks", blocks],
    ...(imds === undefined ? [] : ["--imds", `${imds.host}:${imds.port}`]),
    ...(nitro ? ["--nitro"] : []),
  ];
}

/** The flags that were given and that a running daemon does not follow, "--port 5000". */
export function differingFlags(flags: DaemonFlags, running: DaemonSettings): string[] {
  const imds = running.imds === undefined ? undefined : `${running.imds.host}:${running.imds.port}`;
  const isOther = <T>(wanted: T | undefined, actual: T | undefined) => wanted !== undefined && wanted !== actual;
  return [
    // Port 0 is any port.
    ...(flags.port !== 0 && isOther(flags.port, running.port) ? [`--port ${flags.port}`] : []),
    ...(isOther(flags.listen, running.listen) ? [`--listen ${flags.listen}`] : []),
    ...(isOther(flags.imds, imds) ? [`--imds ${flags.imds}`] : []),
    ...(isOther(flags.latency, running.latency) ? [`--latency ${flags.latency}`] : []),
    ...(isOther(flags.seed, running.seed) ? [`--seed ${flags.seed}`] : []),
    ...(isOther(flags.nitro, running.nitro) ? ["--nitro"] : []),
    ...(isOther(flags.blocks, running.blocks) ? [`--blocks ${flags.blocks}`] : []),
  ];
}

function hostAndPort(text: string): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) {
    throw usageError(
      `Cannot serve the metadata service on "${text}": it is not HOST:PORT`,
      "Use: --imds 127.0.0.1:8169",
    );
  }
  return { host: match[1].replace(/^\[(.*)\]$/, "$1"), port };
}
