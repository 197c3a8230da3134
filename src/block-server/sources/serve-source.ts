// One client of the block server: a connection that opens a snapshot, and keeps it served for as long as it lasts.
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import type { Clock } from "../../base/clock.ts";
import { encodeError } from "../../base/error-message.ts";
import { messageOf, ToolError } from "../../base/errors.ts";
import type { CacheTrouble } from "../cache/block-cache.ts";
import { isBlockHash } from "../cache/block-hash.ts";
import { Peer } from "../control/peer.ts";
import {
  type ClientCalls,
  type OpenedSnapshot,
  PROTOCOL_VERSION,
  runsOf,
  type ServerCalls,
  type SnapshotAddress,
} from "../control/protocol.ts";
import type { NbdServer, ServedDisk } from "../nbd/nbd-server.ts";
import type { BlockMap } from "../snapshots/block-map.ts";
import type { SnapshotRegister } from "../snapshots/snapshot-register.ts";
import { ClientCredentials } from "./client-credentials.ts";
import { EbsFetcher, type OpenEbs } from "./ebs-fetcher.ts";
import { Source } from "./source.ts";

export interface SourceHost {
  readonly snapshots: SnapshotRegister;
  readonly nbd: NbdServer;
  /** The socket of `nbd`, as other processes reach it. */
  readonly nbdSocketPath: string;
  readonly openEbs: OpenEbs;
  readonly clock: Clock;
  readonly report: (message: string, error?: unknown) => void;
  /** Who is told of what the cache does without. */
  readonly troubleListeners: Set<(kind: CacheTrouble, message: string) => void>;
}

/** Resolves when the client has gone, and who goes on to use what it opened; nothing of it is then left here. */
export async function serveSource(socket: Socket, closing: AbortSignal, host: SourceHost): Promise<void> {
  const connection = new SourceConnection(socket, host);
  try {
    await connection.peer.run(closing);
  } catch (error) {
    host.report("Cannot read what a client says", error);
  }
  await connection.unused(closing);
  await connection[Symbol.asyncDispose]().catch((error: unknown) => host.report("Cannot release a snapshot", error));
}

interface Opened {
  readonly credentials: ClientCredentials;
  readonly served: ServedDisk;
  readonly source: Source;
  readonly map: BlockMap;
  readonly fetcher: EbsFetcher;
}

class SourceConnection implements AsyncDisposable {
  readonly peer: Peer<ServerCalls, ClientCalls>;
  readonly #host: SourceHost;
  readonly #gone = new AbortController();
  readonly #owned = new AsyncDisposableStack();
  #opening: Promise<Opened> | undefined;
  #hasFailed = false;
  #isKept = false;

  constructor(socket: Socket, host: SourceHost) {
    this.#host = host;
    // Each call to EBS that is under way or waits listens to it.
    setMaxListeners(0, this.#gone.signal);
    this.peer = new Peer<ServerCalls, ClientCalls>(socket, {
      open: (parameters) => this.#open(parameters),
      know: async (hashes) => {
        const { map } = await this.#opened();
        for (const [blockIndex, hash] of hashes)
          if (isBlockHash(hash)) map.believe(blockIndex, Buffer.from(hash, "hex"));
        return null;
      },
      hashes: async ({ indexes }) => (await this.#opened()).source.hashes(indexes),
      stats: async () => (await this.#opened()).fetcher.stats,
      keep: async () => {
        const { credentials } = await this.#opened();
        this.#isKept = true;
        // The last chance to ask. Without any, what is in the cache can be read.
        await credentials.get().catch(() => {});
        return null;
      },
    });
  }

  /** Resolves when nobody uses what the client has told to keep. */
  async unused(closing: AbortSignal): Promise<void> {
    if (!this.#isKept) return;
    const { served } = await this.#opened();
    await served.unused(closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone.abort(new Error("The client has gone"));
    // What is being opened is released too.
    await this.#opening?.catch(() => {});
    await this.#owned[Symbol.asyncDispose]();
  }

  #opened(): Promise<Opened> {
    if (this.#opening === undefined) throw new TypeError("Nothing has been opened");
    return this.#opening;
  }

  async #open({ version, snapshot }: ServerCalls["open"]["parameters"]): Promise<OpenedSnapshot> {
    if (version !== PROTOCOL_VERSION) throw otherVersion();
    if (this.#opening !== undefined) throw new TypeError("A connection opens one snapshot");
    const exportName = `${snapshot.snapshotId}-${randomBytes(6).toString("hex")}`;
    this.#opening = this.#openSource(snapshot, exportName);
    const { map } = await this.#opening;
    const { sizeBytes, blockIndexes } = map;
    return { sizeBytes, runs: runsOf(blockIndexes), socketPath: this.#host.nbdSocketPath, exportName };
  }

  async #openSource(address: SnapshotAddress, exportName: string): Promise<Opened> {
    const { snapshots, openEbs, clock, nbd } = this.#host;
    const { snapshot } = this.#owned.use(snapshots.use(address));
    const credentials = new ClientCredentials(() => this.peer.call("credentials", null));
    const fetcher = new EbsFetcher({
      ...{ address, openEbs, clock, credentials, signal: this.#gone.signal },
      onRetry: (call, attempt, reason) => this.peer.tell("retry", { call, attempt, reason }),
    });
    this.#owned.defer(() => fetcher[Symbol.dispose]());
    this.#listenToTroubles();
    const map = await snapshot.map(fetcher);
    const source = new Source({ snapshot, map, fetcher, onFailure: (error) => this.#tellFailure(error) });
    const served = nbd.add(exportName, source);
    this.#owned.defer(() => served[Symbol.dispose]());
    return { credentials, served, source, map, fetcher };
  }

  /** Each kind once: the second one is no news. */
  #listenToTroubles(): void {
    const told = new Set<CacheTrouble>();
    const { troubleListeners } = this.#host;
    const listener = (kind: CacheTrouble, text: string) => {
      if (told.has(kind)) return;
      told.add(kind);
      this.peer.tell("message", { text });
    };
    troubleListeners.add(listener);
    this.#owned.defer(() => {
      troubleListeners.delete(listener);
    });
  }

  #tellFailure(error: unknown): void {
    if (this.#hasFailed || this.#gone.signal.aborted) return;
    this.#hasFailed = true;
    if (!(error instanceof ToolError)) this.#host.report(`Cannot read a block: ${messageOf(error)}`, error);
    this.peer.tell("failure", encodeError(error));
  }
}

function otherVersion(): ToolError {
  return new ToolError("ERR_BLOCK_SERVER", "The block server that runs is of another version of amibake", {
    hint: "Wait for the builds to end that use it, or choose another cache: AMIBAKE_CACHE_DIR=DIRECTORY",
    fault: "host",
  });
}
