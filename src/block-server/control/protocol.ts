// What the block server and its clients call each other for. A client keeps one connection for each snapshot that it
// reads; the snapshot is served for as long as the connection is there, or a disk of it that the client told to keep is
// open, and the server runs as long as there is one.

import type { Credentials } from "../../aws/credentials.ts";
import type { EbsUsage } from "../../aws/ebs-api.ts";
import type { ErrorMessage } from "../../base/error-message.ts";
import type { BlockHash } from "../cache/block-hash.ts";
import type { SnapshotKey } from "../snapshots/snapshot-index.ts";

/** Goes up with each change of the calls: a server that runs may be of another version of amibake. */
export const PROTOCOL_VERSION = 3;

export interface SnapshotAddress extends SnapshotKey {
  /** Of EBS. The client finds it out: the server has neither its environment nor its files. */
  readonly endpoint: string;
}

export interface OpenedSnapshot {
  readonly sizeBytes: number;
  /** Runs of blocks that there are, ascending: the first index, and how many. */
  readonly runs: readonly (readonly [first: number, count: number])[];
  readonly socketPath: string;
  readonly exportName: string;
}

export interface SourceStats {
  /** Blocks that this source fetched from EBS, and their bytes. */
  readonly fetchedCount: number;
  readonly fetchedBytes: number;
  /** Different blocks that it got from the cache, or that others fetched at the same time. */
  readonly cachedCount: number;
  readonly cachedBytes: number;
  readonly requests: EbsUsage;
}

/** What a client asks of the server. */
export type ServerCalls = {
  /** The first call of a connection. */
  readonly open: {
    readonly parameters: { readonly version: number; readonly snapshot: SnapshotAddress };
    readonly result: OpenedSnapshot;
  };
  /** Tells hashes of blocks that the client knows already. */
  readonly know: { readonly parameters: HashedIndexes; readonly result: null };
  /** The hashes of blocks; those that are not allocated are left out. */
  readonly hashes: { readonly parameters: { readonly indexes: readonly number[] }; readonly result: HashedIndexes };
  readonly stats: { readonly parameters: null; readonly result: SourceStats };
  /** When the client has gone, the disk is to stay for as long as somebody has it open. */
  readonly keep: { readonly parameters: null; readonly result: null };
};

export type HashedIndexes = readonly (readonly [blockIndex: number, hash: BlockHash])[];

/** What the server asks of, and tells, a client. */
export type ClientCalls = {
  readonly credentials: { readonly parameters: null; readonly result: PlainCredentials };
  readonly retry: {
    readonly parameters: { readonly call: string; readonly attempt: number; readonly reason: string };
    readonly result: null;
  };
  readonly message: { readonly parameters: { readonly text: string }; readonly result: null };
  /** Why the first read that failed did so. */
  readonly failure: { readonly parameters: ErrorMessage; readonly result: null };
};

/** Credentials as JSON. */
export interface PlainCredentials extends Omit<Credentials, "expiration"> {
  /** Milliseconds since the epoch. */
  readonly expirationMs?: number;
}

export function plainCredentials({ expiration, ...keys }: Credentials): PlainCredentials {
  return { ...keys, ...(expiration === undefined ? {} : { expirationMs: expiration.getTime() }) };
}

/** Ascending indexes as runs. */
export function runsOf(indexes: Iterable<number>): [first: number, count: number][] {
  const runs: [first: number, count: number][] = [];
  let last: [first: number, count: number] | undefined;
  for (const index of indexes) {
    if (last !== undefined && last[0] + last[1] === index) last[1]++;
    else {
      last = [index, 1];
      runs.push(last);
    }
  }
  return runs;
}

export function indexesOf(runs: OpenedSnapshot["runs"]): number[] {
  return runs.flatMap(([first, count]) => Array.from({ length: count }, (_, offset) => first + offset));
}
