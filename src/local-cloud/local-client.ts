import { join } from "node:path";
import { ToolError } from "../base/errors.ts";
import { NEVER } from "../base/never.ts";
import { reachDaemon, startUntilReady } from "../linux/daemons/reach-daemon.ts";
import { type Answer, askDaemon } from "./daemon/control-client.ts";
import type { DaemonStatus } from "./daemon/control-protocol.ts";
import { makeStoreDirectory } from "./make-store-directory.ts";
import { lockStarting } from "./store-lock.ts";

export interface ConnectOptions {
  /** Made if it is missing. */
  readonly storeDirectory: string;
  /**
   * Argument vector that runs an ephemeral daemon of this store and prints one line of JSON when it is ready or has
   * failed (`DaemonLine` of src/linux/daemons).
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

/**
 * Uses the daemon of a store, or starts one that ends with the last lease.
 *
 * Any number of processes may call it at once: they end up at one daemon.
 */
export async function connectLocalCloud(options: ConnectOptions): Promise<LocalCloudLease> {
  const { storeDirectory, startCommand, signal = NEVER } = options;
  return reachDaemon({
    take: () => takeLease(storeDirectory, signal),
    async lockStarting() {
      await makeStoreDirectory(storeDirectory);
      return lockStarting(storeDirectory, signal);
    },
    start: () => startLocalDaemon(startCommand, storeDirectory),
    endsAgainError: () =>
      cannotStart(`Cannot reach the local cloud of "${storeDirectory}": it ends again and again`, storeDirectory),
  });
}

async function takeLease(storeDirectory: string, signal: AbortSignal): Promise<LocalCloudLease | undefined> {
  const answer = await askDaemon(storeDirectory, "lease", {}, { signal });
  return answer === undefined ? undefined : leaseOf(answer);
}

/** Where a daemon in the background writes what it has to say. */
function daemonLogPath(storeDirectory: string): string {
  return join(storeDirectory, "daemon.log");
}

/**
 * Starts a daemon in a session of its own and waits until it is ready.
 *
 * The store's directory exists, and the caller holds the lock of those who start.
 *
 * @throws why it could not start.
 */
export function startLocalDaemon(command: readonly string[], storeDirectory: string): Promise<DaemonStatus> {
  const silentError = () =>
    cannotStart("Cannot start the local cloud: its daemon ended without a word", storeDirectory);
  return startUntilReady<DaemonStatus>(command, { logPath: daemonLogPath(storeDirectory), silentError });
}

function cannotStart(message: string, storeDirectory: string): ToolError {
  const hint = `See why: cat ${daemonLogPath(storeDirectory)}`;
  return new ToolError("ERR_LOCAL_CLOUD", message, { hint, fault: "host" });
}

function leaseOf(answer: Answer<DaemonStatus>): LocalCloudLease {
  return {
    environment: answer.result.environment,
    status: answer.result,
    [Symbol.asyncDispose]: () => answer[Symbol.asyncDispose](),
  };
}
