import type { Credentials } from "../aws/credentials.ts";
import { decodeError } from "../base/error-message.ts";
import { ToolError } from "../base/errors.ts";
import { connectToDaemon, type DaemonConnection } from "../linux/daemons/daemon-connection.ts";
import { reachDaemon, startUntilReady } from "../linux/daemons/reach-daemon.ts";
import { lockFile } from "../linux/files/file-lock.ts";
import { controlSocketPath, makeCacheDirectory, serverLogPath, startLockPath } from "./cache/cache-layout.ts";
import { type Handlers, Peer, PeerGoneError } from "./control/peer.ts";
import {
  type ClientCalls,
  indexesOf,
  type OpenedSnapshot,
  PROTOCOL_VERSION,
  plainCredentials,
  type ServerCalls,
  type SnapshotAddress,
  type SourceStats,
} from "./control/protocol.ts";
import { trustEnvironment } from "./trust-environment.ts";

export interface BlockSourceOptions {
  /** Made if it is missing. */
  readonly cacheDirectory: string;
  /** Argument vector that runs a server of this cache and prints one line of JSON when it is ready or has failed. */
  readonly startCommand: readonly string[];
  /** Of this process: what it says of certificates is passed on to a server that is started. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly snapshot: SnapshotAddress;
  /** Asked when a block has to be fetched, again before they expire, and when EBS says that they have. */
  readonly credentials: () => Promise<Credentials>;
  /** Hashes of blocks that are known from elsewhere: what the cache has of them need not be fetched. */
  readonly knownHashes?: ReadonlyMap<number, string> | undefined;
  /** Ends the opening, and the waiting for hashes. What is open stays so until it is disposed of. */
  readonly signal: AbortSignal;
  /** Told of each call to EBS that is tried again. */
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
  /** Told what the cache does without, e.g. on a full disk. */
  readonly onMessage: (text: string) => void;
  /** Told once why reads fail, before the first reader sees EIO; or that the server has ended. */
  readonly onFailure?: ((error: Error) => void) | undefined;
}

/** A snapshot that is served as NBD. Disposing of it ends that; the last one ends the server. */
export interface BlockSource extends AsyncDisposable {
  readonly sizeBytes: number;
  /** The unix socket and the name of the NBD export. */
  readonly socketPath: string;
  readonly exportName: string;
  /** Of all blocks that the snapshot has, ascending. The others are zero. */
  readonly blockIndexes: readonly number[];
  /** SHA-256 of blocks in hexadecimal, fetched if nobody knows them yet. A block that the snapshot has not is left out. */
  hashes(blockIndexes: readonly number[]): Promise<ReadonlyMap<number, string>>;
  /** What this source has cost so far. */
  stats(): Promise<SourceStats>;
  /** Why reads fail, if they do. */
  failure(): Error | undefined;
  /**
   * Lets go of it as disposing of it does, but for who has the export open: for them it is served until they end, with
   * the credentials of now.
   */
  keep(): Promise<void>;
}

// A message of a megabyte at most.
const HASHES_AT_ONCE = 8_192;

/**
 * Opens a snapshot at the block server of a cache, which is started if none runs.
 *
 * Any number of processes may do so at once: they end up at one server, and a block that several want is fetched once.
 *
 * @throws why the snapshot cannot be read, or the server does not start.
 */
export async function openBlockSource(options: BlockSourceOptions): Promise<BlockSource> {
  const { cacheDirectory, startCommand, signal } = options;
  const failed = (message: string) => serverError(message, cacheDirectory);
  return reachDaemon({
    take: () => openIfRunning(options),
    async lockStarting() {
      await makeCacheDirectory(cacheDirectory);
      return lockFile(startLockPath(cacheDirectory), { signal });
    },
    start: () =>
      startUntilReady<null>(startCommand, {
        logPath: serverLogPath(cacheDirectory),
        environment: trustEnvironment(options.environment),
        silentError: () => failed("Cannot start the block server: it ended without a word"),
      }),
    endsAgainError: () => failed(`Cannot reach the block server of "${cacheDirectory}": it ends again and again`),
  });
}

async function openIfRunning(options: BlockSourceOptions): Promise<BlockSource | undefined> {
  const { cacheDirectory, snapshot, knownHashes = new Map<number, string>(), signal } = options;
  signal.throwIfAborted();
  const connection = await connectToDaemon(controlSocketPath(cacheDirectory));
  if (connection === undefined) return undefined;
  const failure = new FirstFailure(options.onFailure);
  const peer = new Peer<ClientCalls, ServerCalls>(connection.socket, callsOf(options, failure));
  const ended = peer.run().catch(() => {});
  const onAbort = () => void connection.socket.end();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const opened = await peer.call("open", { version: PROTOCOL_VERSION, snapshot });
    for (const hashes of inParts([...knownHashes], HASHES_AT_ONCE)) await peer.call("know", hashes);
    signal.throwIfAborted();
    return sourceOf(opened, { options, connection, peer, ended, failure });
  } catch (error) {
    await connection.leave();
    signal.throwIfAborted();
    // One that was just ending: it answers nobody.
    if (error instanceof PeerGoneError) return undefined;
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function callsOf(
  { credentials, onRetry, onMessage }: BlockSourceOptions,
  failure: FirstFailure,
): Handlers<ClientCalls> {
  return {
    credentials: async () => plainCredentials(await credentials()),
    async retry({ call, attempt, reason }) {
      onRetry(call, attempt, reason);
      return null;
    },
    async message({ text }) {
      onMessage(text);
      return null;
    },
    async failure(error) {
      failure.set(decodeError(error));
      return null;
    },
  };
}

function sourceOf(
  { sizeBytes, runs, socketPath, exportName }: OpenedSnapshot,
  { options, connection, peer, ended, failure }: OpenConnection,
): BlockSource {
  const { cacheDirectory, signal } = options;
  const gone = () => serverError(`The block server of "${cacheDirectory}" has ended under its clients`, cacheDirectory);
  let isReleased = false;
  void ended.then(() => {
    if (!isReleased) failure.set(gone());
  });
  const ask: typeof peer.call = async (name, parameters) => {
    try {
      return await unlessAborted(peer.call(name, parameters), signal);
    } catch (error) {
      throw error instanceof PeerGoneError ? gone() : error;
    }
  };
  return {
    ...{ sizeBytes, socketPath, exportName },
    blockIndexes: indexesOf(runs),
    async hashes(blockIndexes) {
      const found = new Map<number, string>();
      for (const indexes of inParts(blockIndexes, HASHES_AT_ONCE)) {
        for (const [index, hash] of await ask("hashes", { indexes })) found.set(index, hash);
      }
      return found;
    },
    stats: () => ask("stats", null),
    failure: () => failure.error,
    async keep() {
      // Also where the build was cancelled. A server that has gone serves nobody.
      await peer.call("keep", null).catch(() => {});
      isReleased = true;
      connection.part();
    },
    async [Symbol.asyncDispose]() {
      isReleased = true;
      await connection.leave();
    },
  };
}

interface OpenConnection {
  readonly options: BlockSourceOptions;
  readonly connection: DaemonConnection;
  readonly peer: Peer<ClientCalls, ServerCalls>;
  /** Resolves when the other side says nothing any more. */
  readonly ended: Promise<void>;
  readonly failure: FirstFailure;
}

class FirstFailure {
  readonly #onFailure: (error: Error) => void;
  error: Error | undefined;

  constructor(onFailure: (error: Error) => void = () => {}) {
    this.#onFailure = onFailure;
  }

  set(error: Error): void {
    if (this.error !== undefined) return;
    this.error = error;
    this.#onFailure(error);
  }
}

function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function inParts<Item>(items: readonly Item[], countMax: number): Item[][] {
  const count = Math.ceil(items.length / countMax);
  return Array.from({ length: count }, (_, part) => items.slice(part * countMax, (part + 1) * countMax));
}

function serverError(message: string, cacheDirectory: string): ToolError {
  const hint = `See why: cat ${serverLogPath(cacheDirectory)}`;
  return new ToolError("ERR_BLOCK_SERVER", message, { hint, fault: "host" });
}
