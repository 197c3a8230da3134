// What ListSnapshotBlocks and ListChangedBlocks have in common: pages and tokens.
import type { SnapshotId } from "../../base/ids.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import type { Cloud } from "../operations/cloud.ts";
import type { SnapshotRecord } from "../state/records.ts";
import type { EbsCall } from "./ebs-call.ts";
import { invalid } from "./ebs-errors.ts";
import { integer } from "./ebs-input.ts";
import { openToken, TokenSeries } from "./tokens.ts";

/** "MaxResults": 100 to 10,000. */
const RESULTS = { min: 100, max: 10_000 };
/** Not documented; coldsnap says 100 (src/download.rs). */
const RESULTS_DEFAULT = 100;
const BLOCK_TOKEN_MS = 7 * 24 * 3_600_000;
const PAGE_TOKEN_MS = 60 * 60_000;

export interface PageRequest {
  /** The first index that the page may have. */
  readonly fromIndex: number;
  readonly resultsMax: number;
}

/** @throws {ApiError} ValidationException, INVALID_PAGE_TOKEN. */
export function pageRequest(call: EbsCall, ...ids: SnapshotId[]): PageRequest {
  const { query, cloud } = call;
  const resultsMax = integer(query.get("maxResults"), "maxResults", RESULTS) ?? RESULTS_DEFAULT;
  const startingIndex = integer(query.get("startingBlockIndex"), "startingBlockIndex", { min: 0 }) ?? 0;
  const token = query.get("pageToken");
  if (token === null || token === "") return { fromIndex: startingIndex, resultsMax };
  const isStruck = call.faults.effect("expired-token") !== undefined;
  const fromIndex = isStruck ? undefined : openToken(cloud, pagePurpose(call, ids), token);
  if (fromIndex === undefined) throw invalid("INVALID_PAGE_TOKEN", "The page token is not valid or has expired.");
  return { fromIndex, resultsMax };
}

export function nextPageToken(call: EbsCall, fromIndex: number, ...ids: SnapshotId[]): string {
  return new TokenSeries(call.cloud, pagePurpose(call, ids), PAGE_TOKEN_MS).token(fromIndex);
}

function pagePurpose({ action }: EbsCall, ids: readonly SnapshotId[]): string {
  return ["page", action, ...ids].join(" ");
}

/** Tokens to get blocks of a snapshot with. */
export function blockTokens(cloud: Cloud, id: SnapshotId): TokenSeries {
  return new TokenSeries(cloud, blockPurpose(id), BLOCK_TOKEN_MS);
}

export function isBlockToken(cloud: Cloud, id: SnapshotId, blockIndex: number, token: string): boolean {
  return openToken(cloud, blockPurpose(id), token) === blockIndex;
}

function blockPurpose(id: SnapshotId): string {
  return `block ${id}`;
}

/** What both lists tell of the snapshot. */
export function listFields({ sizeGib }: SnapshotRecord, { expiresAtMs }: TokenSeries, nextToken: string | undefined) {
  return {
    ExpiryTime: expiresAtMs / 1000,
    VolumeSize: sizeGib,
    BlockSize: SNAPSHOT_BLOCK_BYTES,
    NextToken: nextToken,
  };
}
