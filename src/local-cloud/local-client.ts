import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ToolError } from "../base/errors.ts";
import { startDaemon } from "../linux/run-command.ts";
import { type Answer, askDaemon } from "./daemon/control-client.ts";
import { type DaemonStatus, decodeError, type ErrorMessage } from "./daemon/control-protocol.ts";
import { lockStarting } from "./store-lock.ts";

export interface ConnectOptions {
  /** Made if it is missing. */
  readonly storeDirectory: string;
  /**
   * Argument vector that runs an ephemeral daemon of this store and prints one line of JSON when it is ready or has
   * failed (`DaemonLine`).
   */
  readonly startCommand: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Keeps a local cloud running. Ended by disposing of it, or by the death of this process. */
export interface LocalCloudLease extends AsyncDisposable {
  /** AWS_ENDPOINT_URL, credentials, region and the rest that a client of AWS needs to use it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly status: DaemonStatus;
}

/** What a daemon that somebody waits for prints on its standard output. */
export type DaemonLine = { readonly ready: DaemonStatus } | { readonly error: ErrorMessage };

const CONNECT_TRIES_MAX = 20;
const NEVER = new AbortController().signal;

/**
 * Uses the daemon of a store, or starts one that ends with the last lease.
 *
 * Any number of processes may call it at once: they end up at one daemon.
 */
export async function connectLocalCloud(options: ConnectOptions): Promise<LocalCloudLease> {
  const { storeDirectory, signal = NEVER } = options;
  // A daemon may end between any two of our steps; then it is begun anew.
  for (let attempt = 1; attempt <= CONNECT_TRIES_MAX; attempt++) {
    const lease = (await takeLease(storeDirectory, signal)) ?? (await startAndLease(options, signal));
    if (lease !== undefined) return lease;
  }
  throw new ToolError(
    "ERR_LOCAL_CLOUD",
    `Cannot reach the local cloud of "${storeDirectory}": it ends again and again`,
    {
      hint: `See why: cat ${daemonLogPath(storeDirectory)}`,
      fault: "host",
    },
  );
}

async function takeLease(storeDirectory: string, signal: AbortSignal): Promise<LocalCloudLease | undefined> {
  const answer = await askDaemon(storeDirectory, "lease", {}, { signal });
  return answer === undefined ? undefined : leaseOf(answer);
}

async function startAndLease(options: ConnectOptions, signal: AbortSignal): Promise<LocalCloudLease | undefined> {
  await mkdir(options.storeDirectory, { recursive: true, mode: 0o700 });
  await using _starting = await lockStarting(options.storeDirectory, signal);
  const known = await takeLease(options.storeDirectory, signal);
  if (known !== undefined) return known;
  await startLocalDaemon(options.startCommand, options.storeDirectory);
  return takeLease(options.storeDirectory, signal);
}

/** Where a daemon in the background writes what it has to say. */
export function daemonLogPath(storeDirectory: string): string {
  return join(storeDirectory, "daemon.log");
}

/**
 * Starts a daemon in a session of its own and waits until it is ready.
 *
 * The store's directory exists, and the caller holds the lock of those who start.
 *
 * @throws why it could not start.
 */
export async function startLocalDaemon(command: readonly string[], storeDirectory: string): Promise<DaemonStatus> {
  await using log = await open(daemonLogPath(storeDirectory), "w", 0o600);
  // "/": it must not keep anybody's directory busy.
  const daemon = await startDaemon(command, { stdio: ["ignore", "pipe", log.fd], cwd: "/", detached: true });
  const output = daemon.process.stdout;
  if (output === null) throw new TypeError("The daemon has no standard output");
  try {
    for await (const text of createInterface({ input: output })) {
      const line = JSON.parse(text) as DaemonLine;
      if ("error" in line) throw decodeError(line.error);
      return line.ready;
    }
  } finally {
    output.destroy();
  }
  throw new ToolError("ERR_LOCAL_CLOUD", "Cannot start the local cloud: its daemon ended without a word", {
    hint: `See why: cat ${daemonLogPath(storeDirectory)}`,
    fault: "host",
  });
}

function leaseOf(answer: Answer<DaemonStatus>): LocalCloudLease {
  return {
    environment: answer.result.environment,
    status: answer.result,
    [Symbol.asyncDispose]: () => answer[Symbol.asyncDispose](),
  };
}
