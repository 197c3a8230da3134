// What a build starts from: the blocks of a snapshot that the account can read, and the child that becomes the result.
import { randomUUID } from "node:crypto";
import { AsyncDisposableStack } from "../../../base/async-disposable-stack.ts";
import { BlockHashes, isUnknown } from "../../../base/block-hashes.ts";
import type { SnapshotId } from "../../../base/ids.ts";
import { acquireTogether, together } from "../../../base/together.ts";
import { formatCount, SNAPSHOT_BLOCK_BYTES } from "../../../base/units.ts";
import type { BlockSource } from "../../../block-server/client.ts";
import type { ManifestStore } from "../../../snapshot-transfer/manifest-store.ts";
import type { BuildVariables } from "../../../template/deferred.ts";
import { keepable } from "../../attendance/keep-failed.ts";
import type { StepProgress } from "../../build-context.ts";
import { type Draft, makeDraft } from "../../draft.ts";
import type { SourceImage } from "../../image/find-source-image.ts";
import { describeSnapshot } from "../describe-snapshot.ts";
import type { DirectContext } from "./direct-root-disk.ts";
import { type Base, copyBase, earlierCopy, reasonToCopy, withWayOut } from "./own-base.ts";

export interface OpenBase extends AsyncDisposable {
  /** What this host knew of its blocks before. */
  readonly knownHashes: BlockHashes;
  /** Those of the image that is built on. */
  readonly blockDeviceMappings: Base["blockDeviceMappings"];
  /** The blocks below everything that the build writes. */
  readonly blocks: BlockSource;
  /** The snapshot of the result, as yet without blocks of its own. */
  readonly child: Draft<SnapshotId>;
  /** Leaves the child to the caller: it then is no longer removed with the rest. */
  handOverChild(): Draft<SnapshotId>;
}

interface ChildPlan {
  readonly sizeGib: number;
  readonly variables: BuildVariables;
}

/**
 * Opens the source's blocks and starts the snapshot of the result: what EBS refuses, it refuses before anything is built.
 * A source that it refuses because it belongs to somebody else is copied into the account first.
 */
export async function openBase(context: DirectContext, source: SourceImage, plan: ChildPlan): Promise<OpenBase> {
  const isOwn = source.ownerId === context.means.accountId;
  const copied = isOwn ? undefined : await earlierCopy(context, source);
  if (copied !== undefined) return openSnapshot(context, source, copied, plan);
  try {
    const base = { snapshotId: source.root.snapshotId, blockDeviceMappings: source.blockDeviceMappings };
    return await openSnapshot(context, source, base, plan, (error) =>
      reasonToCopy(error, { isOwn, isEncrypted: source.root.encrypted }),
    );
  } catch (error) {
    if (!(error instanceof NeedsCopyError)) throw error;
    const copy = await copyBase(context, source, error.message);
    return openSnapshot(context, source, copy, plan);
  }
}

/** The source can be built on only as a copy. Its message is the reason. */
class NeedsCopyError extends Error {
  override readonly name = "NeedsCopyError";
}

const DESCRIPTION_LENGTH_MAX = 255;
/** Minutes that a build may take until its snapshot gets its first block: the most that EBS allows. */
const TIMEOUT_MINUTES = 4_320;

/** Gives the reason why the base has to be copied, where an error says so. */
type Judge = (error: unknown) => string | undefined;

async function openSnapshot(
  context: DirectContext,
  source: SourceImage,
  base: Base,
  plan: ChildPlan,
  judge: Judge = () => undefined,
): Promise<OpenBase> {
  const open = async (progress: StepProgress): Promise<OpenBase | NeedsCopyError> => {
    try {
      return await openBoth(context, source, base, plan, { judge, progress });
    } catch (error) {
      const reason = judge(error);
      if (reason === undefined) throw withWayOut(error, { ...source, region: context.ec2.region });
      // No failure: the step has found out what it was to find out.
      return new NeedsCopyError(reason, { cause: error });
    }
  };
  const title = `Opening ${base.snapshotId}, to read it block by block`;
  const opened = await context.runStep(title, open, { isRepeatable: true });
  if (opened instanceof NeedsCopyError) throw opened;
  return opened;
}

async function openBoth(
  context: DirectContext,
  source: SourceImage,
  base: Base,
  plan: ChildPlan,
  { judge, progress }: { readonly judge: Judge; readonly progress: StepProgress },
): Promise<OpenBase> {
  const { means, emit, signal } = context;
  await using undo = new AsyncDisposableStack();
  const knownHashes = await knownHashesOf(means.manifests, base.snapshotId);
  const opening = means.openBlocks(base.snapshotId, { emit, signal, knownHashes });
  const starting = startChild(context, source, base, plan, progress);
  const [blocks, child] = await acquireTogether(undo, [opening, starting]).catch(async (error: unknown) => {
    // A copy would be made for nothing where one of both fails for another reason.
    const failures = (await Promise.allSettled([opening, starting])).flatMap(failureOf);
    throw failures.find((failure) => judge(failure) === undefined) ?? error;
  });
  const blockCount = Math.ceil(blocks.sizeBytes / SNAPSHOT_BLOCK_BYTES);
  progress.tell(`${formatCount(blocks.blockIndexes.length)} of its ${formatCount(blockCount)} blocks hold data`);
  // Both are owned one by one from here on.
  undo.move();
  let isHandedOver = false;
  // Where a failed build is kept, the disk that is kept reads from it.
  const server = keepable(context, blocks, () => blocks.keep());
  return {
    knownHashes,
    blockDeviceMappings: base.blockDeviceMappings,
    blocks,
    child,
    handOverChild() {
      isHandedOver = true;
      return child;
    },
    async [Symbol.asyncDispose]() {
      const releaseChild = async () => (isHandedOver ? undefined : child[Symbol.asyncDispose]());
      await together([(async () => server[Symbol.asyncDispose]())(), releaseChild()]);
    },
  };
}

function failureOf(result: PromiseSettledResult<unknown>): unknown[] {
  return result.status === "rejected" ? [result.reason] : [];
}

/** Less what is only known to be there. */
async function knownHashesOf(manifests: ManifestStore, snapshotId: SnapshotId): Promise<BlockHashes> {
  const manifest = await manifests.read(snapshotId);
  return BlockHashes.from([...(manifest?.blocks ?? [])].filter(({ sha256 }) => !isUnknown(sha256)));
}

async function startChild(
  context: DirectContext,
  source: SourceImage,
  base: Base,
  { sizeGib, variables }: ChildPlan,
  progress: StepProgress,
): Promise<Draft<SnapshotId>> {
  const { means } = context;
  const clientToken = randomUUID();
  const about = describeSnapshot(context, source, variables);
  return makeDraft<SnapshotId>(context, {
    kind: "snapshot",
    clientToken,
    make: async (tags) => {
      const started = await means.ebs.startSnapshot({
        sizeGib,
        parentSnapshotId: base.snapshotId,
        description: about.description.slice(0, DESCRIPTION_LENGTH_MAX),
        tags: { ...about.tags, ...tags },
        clientToken,
        timeoutMinutes: TIMEOUT_MINUTES,
      });
      return started.snapshotId;
    },
    progress,
  });
}
