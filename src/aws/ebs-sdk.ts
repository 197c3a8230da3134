// Import it with `await import()`: the SDK takes 70 ms.
import {
  CompleteSnapshotCommand,
  EBSClient,
  ListChangedBlocksCommand,
  ListSnapshotBlocksCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import type { SnapshotId } from "../base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { AwsError, awsErrorFrom, hasCode, hasReason } from "./aws-error.ts";
import { type Call, type CallKind, caller } from "./call-with-retry.ts";
import type { EbsApi, EbsUsage } from "./ebs-api.ts";
import { type BlockCalls, blockCalls } from "./ebs-blocks.ts";
import { type EbsTransport, openTransport } from "./ebs-transport.ts";
import type { Ec2SdkOptions } from "./ec2-sdk.ts";
import { OwnResources } from "./own-resources.ts";
import { endpointOf } from "./sdk-endpoint.ts";
import { SdkTransport } from "./sdk-transport.ts";
import { RequestSigner } from "./sign-request.ts";

export interface EbsSdkOptions extends Ec2SdkOptions {
  /** Whether `endpoint` is what another client has found out: then nothing else that is configured here counts. */
  readonly isEndpointFinal?: boolean;
}

// A small share of puts never gets an answer, so each attempt has a short deadline; coldsnap chose the same.
const BLOCK_ANSWER_MS = 20_000;
// Backoff of 109 s on average: a build whose blocks do not come through loses its work.
const BLOCK_ATTEMPTS_MAX = 20;
// AWS plans with 100 ms a put, and allows 1,000 a second.
const IN_FLIGHT = { first: 16, min: 1, max: 64, slowMs: 5_000 } as const;
// The most there is, and fewest requests to pay for.
const PAGE_BLOCKS_MAX = 10_000;
const LISTING_RESTARTS_MAX = 10;
const VOLUME_GIB_MAX = 65_536;

/**
 * EbsApi by the AWS SDK, and the blocks themselves past it. Retrying is done here and nowhere else.
 *
 * @param given.signal cancels calls under way.
 */
export function createEbsApi(given: EbsSdkOptions): EbsApi & Disposable {
  const options = { ...given, own: given.own ?? new OwnResources(given.clock) };
  const client = new EBSClient({
    region: options.region,
    credentials: options.credentials,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.isEndpointFinal ? { useFipsEndpoint: false, useDualstackEndpoint: false } : {}),
    maxAttempts: 1,
    requestHandler: new SdkTransport(),
  });
  const usage: EbsUsage = { getSnapshotBlock: 0, putSnapshotBlock: 0, list: 0, other: 0 };
  const call = caller(options);
  const blocks = openBlocks(client, options);
  return {
    region: options.region,
    usage,
    endpoint: blocks.endpoint,
    ...controlCalls({ client, call, usage, own: options.own }),
    ...listCalls(client, call, usage),
    ...dataCalls(blocks, call, usage, options),
    [Symbol.dispose]() {
      client.destroy();
      blocks[Symbol.dispose]();
    },
  };
}

function controlCalls({
  client,
  call,
  usage,
  own,
}: {
  readonly client: EBSClient;
  readonly call: Call;
  readonly usage: EbsUsage;
  readonly own: OwnResources;
}): Pick<EbsApi, "startSnapshot" | "completeSnapshot"> {
  return {
    async startSnapshot(plan) {
      const command = new StartSnapshotCommand({
        VolumeSize: plan.sizeGib,
        ParentSnapshotId: plan.parentSnapshotId,
        Description: plan.description,
        Tags: Object.entries(plan.tags).map(([Key, Value]) => ({ Key, Value })),
        ClientToken: plan.clientToken,
        Encrypted: plan.encrypted,
        KmsKeyArn: plan.kmsKeyArn,
        Timeout: plan.timeoutMinutes,
      });
      const answer = await call(
        "StartSnapshot",
        (sendOptions) => {
          usage.other++;
          return client.send(command, sendOptions);
        },
        { isCreating: true },
      );
      const snapshotId = answer.SnapshotId as SnapshotId;
      own.add(snapshotId);
      return {
        snapshotId,
        state: answer.Status ?? "",
        sizeGib: gibOf(answer.VolumeSize) ?? plan.sizeGib,
      };
    },

    async completeSnapshot(snapshotId, { changedBlocksCount, checksum }) {
      const command = new CompleteSnapshotCommand({
        SnapshotId: snapshotId,
        ChangedBlocksCount: changedBlocksCount,
        Checksum: Buffer.from(checksum).toString("base64"),
        ChecksumAlgorithm: "SHA256",
        ChecksumAggregationMethod: "LINEAR",
      });
      const send = (sendOptions: { abortSignal: AbortSignal }) => {
        usage.other++;
        return client.send(command, sendOptions);
      };
      try {
        own.add(snapshotId);
        await call("CompleteSnapshot", send, { subject: snapshotId, names: [snapshotId] });
      } catch (error) {
        // The lost attempt has sealed it: whoever waits for "completed" will see. Any other reason is a refusal.
        const wasLost = error instanceof AwsError && error.mayHaveTakenEffect && !error.isLost;
        const isSealed = hasReason(error, "INVALID_SNAPSHOT_ID") || hasCode(error, "ConflictException");
        if (!wasLost || !isSealed) throw error;
      }
    },
  };
}

function listCalls(
  client: EBSClient,
  call: Call,
  usage: EbsUsage,
): Pick<EbsApi, "listSnapshotBlocks" | "listChangedBlocks"> {
  return {
    listSnapshotBlocks: (snapshotId, { startingBlockIndex } = {}) =>
      pagesOf(startingBlockIndex, async (position) => {
        const command = new ListSnapshotBlocksCommand({ SnapshotId: snapshotId, ...position });
        const send = (sendOptions: { abortSignal: AbortSignal }) => {
          usage.list++;
          return client.send(command, sendOptions);
        };
        const answer = await call("ListSnapshotBlocks", send, { subject: snapshotId });
        const blocks = (answer.Blocks ?? []).map(({ BlockIndex = 0, BlockToken = "" }) => ({
          blockIndex: BlockIndex,
          blockToken: BlockToken,
        }));
        const page = { sizeGib: gibOf(answer.VolumeSize) ?? 0, blocks };
        return { page, lastIndex: blocks.at(-1)?.blockIndex, nextToken: answer.NextToken };
      }),

    listChangedBlocks: (first, second) =>
      pagesOf(undefined, async (position) => {
        const command = new ListChangedBlocksCommand({ FirstSnapshotId: first, SecondSnapshotId: second, ...position });
        const send = (sendOptions: { abortSignal: AbortSignal }) => {
          usage.list++;
          return client.send(command, sendOptions);
        };
        const answer = await call("ListChangedBlocks", send, { subject: `from ${first} to ${second}` });
        const changedBlocks = (answer.ChangedBlocks ?? []).map((block) => ({
          blockIndex: block.BlockIndex ?? 0,
          firstBlockToken: block.FirstBlockToken,
          secondBlockToken: block.SecondBlockToken,
        }));
        const page = { sizeGib: gibOf(answer.VolumeSize) ?? 0, changedBlocks };
        return { page, lastIndex: changedBlocks.at(-1)?.blockIndex, nextToken: answer.NextToken };
      }),
  };
}

interface ListPosition {
  readonly MaxResults: number;
  readonly StartingBlockIndex?: number | undefined;
  readonly NextToken?: string;
}

interface ListedPage<Page> {
  readonly page: Page;
  /** Of the last block on the page. */
  readonly lastIndex: number | undefined;
  readonly nextToken: string | undefined;
}

/** All pages. A token that EBS takes no longer (it is good for an hour) is replaced by the place where it stood. */
async function* pagesOf<Page>(
  startingBlockIndex: number | undefined,
  list: (position: ListPosition) => Promise<ListedPage<Page>>,
): AsyncGenerator<Page> {
  let startIndex = startingBlockIndex;
  let nextToken: string | undefined;
  for (let restarts = 0; ; ) {
    const where = nextToken === undefined ? { StartingBlockIndex: startIndex } : { NextToken: nextToken };
    let listed: ListedPage<Page>;
    try {
      listed = await list({ MaxResults: PAGE_BLOCKS_MAX, ...where });
    } catch (error) {
      if (nextToken === undefined || !hasReason(error, "INVALID_PAGE_TOKEN") || ++restarts > LISTING_RESTARTS_MAX) {
        throw error;
      }
      nextToken = undefined;
      continue;
    }
    yield listed.page;
    if (listed.lastIndex !== undefined) startIndex = listed.lastIndex + 1;
    nextToken = listed.nextToken || undefined;
    if (nextToken === undefined) return;
  }
}

function dataCalls(
  blocks: LazyBlockCalls,
  call: Call,
  usage: EbsUsage,
  { clock, own }: EbsSdkOptions & { readonly own: OwnResources },
): Pick<EbsApi, "putSnapshotBlock" | "getSnapshotBlock"> {
  const kind = { answerMs: BLOCK_ANSWER_MS, attemptsMax: BLOCK_ATTEMPTS_MAX } satisfies CallKind;
  // EBS counts gets and puts apart.
  const puts = new AdaptiveLimit({ ...IN_FLIGHT, clock });
  const gets = new AdaptiveLimit({ ...IN_FLIGHT, clock });
  return {
    async putSnapshotBlock(snapshotId, block) {
      const { put } = await blocks.calls();
      // Nobody writes into what others made: one that is not known was begun by an earlier run.
      own.add(snapshotId);
      await call(
        "PutSnapshotBlock",
        ({ abortSignal }) => {
          usage.putSnapshotBlock++;
          return put(snapshotId, block, abortSignal);
        },
        { ...kind, gate: puts, subject: subjectOf(snapshotId, block), names: [snapshotId] },
      );
    },

    async getSnapshotBlock(snapshotId, address, target = new Uint8Array(SNAPSHOT_BLOCK_BYTES)) {
      const { get } = await blocks.calls();
      return call(
        "GetSnapshotBlock",
        ({ abortSignal }) => {
          usage.getSnapshotBlock++;
          return get(snapshotId, address, { signal: abortSignal, target });
        },
        { ...kind, gate: gets, subject: subjectOf(snapshotId, address) },
      );
    },
  };
}

function subjectOf(snapshotId: SnapshotId, { blockIndex }: { readonly blockIndex: number }): string {
  return `block ${blockIndex} of ${snapshotId}`;
}

/** To the endpoint that the SDK's client talks to, which takes a moment to find out. */
function openBlocks(client: EBSClient, { region, credentials }: EbsSdkOptions): LazyBlockCalls {
  let opening: Promise<{ endpoint: URL; transport: EbsTransport; calls: BlockCalls }> | undefined;
  const open = async () => {
    const endpoint = await endpointOf(client).catch((error: unknown) => {
      throw awsErrorFrom("find the endpoint of EBS", error, { wasSent: false });
    });
    const transport = openTransport(endpoint);
    const signer = new RequestSigner({ host: endpoint.host, region, service: "ebs" });
    const basePath = endpoint.pathname.replace(/\/$/, "");
    return { endpoint, transport, calls: blockCalls({ transport, signer, credentials, basePath }) };
  };
  const opened = () => {
    opening ??= open();
    return opening;
  };
  return {
    calls: async () => (await opened()).calls,
    endpoint: async () => (await opened()).endpoint.href,
    [Symbol.dispose]() {
      opening?.then(
        ({ transport }) => transport[Symbol.dispose](),
        () => {},
      );
    },
  };
}

interface LazyBlockCalls extends Disposable {
  calls(): Promise<BlockCalls>;
  endpoint(): Promise<string>;
}

/** The model says GiB; some examples in the documentation are in bytes. */
function gibOf(volumeSize: number | undefined): number | undefined {
  if (volumeSize === undefined || volumeSize <= VOLUME_GIB_MAX) return volumeSize;
  return Math.ceil(volumeSize / GIB);
}
