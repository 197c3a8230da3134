import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { decodeError, type ErrorMessage } from "../../base/error-message.ts";
import { hostEnvironment, startDaemon } from "../run-command.ts";

export interface ReachOptions<Lease> {
  /** @returns undefined if no daemon runs, or one that was just ending and did not answer. */
  readonly take: () => Promise<Lease | undefined>;
  /** The lock of those who look whether a daemon runs and start one if not. */
  readonly lockStarting: () => Promise<AsyncDisposable>;
  /** Starts a daemon and waits until it is ready. */
  readonly start: () => Promise<unknown>;
  readonly endsAgainError: () => Error;
}

const TRIES_MAX = 20;

/**
 * Uses the daemon that runs, or starts one.
 *
 * Any number of processes may call it at once: they end up at one daemon.
 */
export async function reachDaemon<Lease>(options: ReachOptions<Lease>): Promise<Lease> {
  // A daemon may end between any two of our steps; then it is begun anew.
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const lease = (await options.take()) ?? (await startAndTake(options));
    if (lease !== undefined) return lease;
  }
  throw options.endsAgainError();
}

async function startAndTake<Lease>({ take, lockStarting, start }: ReachOptions<Lease>): Promise<Lease | undefined> {
  await using _starting = await lockStarting();
  const known = await take();
  if (known !== undefined) return known;
  await start();
  return await take();
}

/** What a daemon that somebody waits for prints on its standard output: one line of JSON. */
export type DaemonLine<Ready> = { readonly ready: Ready } | { readonly error: ErrorMessage };

/**
 * Starts a daemon in a session of its own and waits until it says that it is ready.
 *
 * @param options.logPath replaced; gets what the daemon writes to standard error. Its directory exists.
 * @param options.silentError for one that ends without a word.
 * @throws why it could not start.
 */
export async function startUntilReady<Ready>(
  command: readonly string[],
  options: {
    readonly logPath: string;
    readonly silentError: () => Error;
    /** Beside what every command of the host gets. */
    readonly environment?: Readonly<Record<string, string>> | undefined;
  },
): Promise<Ready> {
  await using log = await open(options.logPath, "w", 0o600);
  // "/": it must not keep anybody's directory busy.
  const env = { ...hostEnvironment(), ...options.environment };
  const daemon = await startDaemon(command, { stdio: ["ignore", "pipe", log.fd], cwd: "/", env, detached: true });
  const output = daemon.process.stdout;
  if (output === null) throw new TypeError("The daemon has no standard output");
  try {
    for await (const text of createInterface({ input: output })) {
      const line = JSON.parse(text) as DaemonLine<Ready>;
      if ("error" in line) throw decodeError(line.error);
      return line.ready;
    }
  } finally {
    output.destroy();
  }
  throw options.silentError();
}
