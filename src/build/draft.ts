import type { Ec2Calls, ResourceKind, WantedTag } from "../aws/ec2-api.ts";
import type { Clock } from "../base/clock.ts";
import { releaseOrReport } from "../base/errors.ts";
import type { ImageId, SnapshotId, VolumeId } from "../base/ids.ts";
import { cleanCommand, keptReason } from "./attendance/keep-failed.ts";
import type { BuildContext, StepProgress } from "./build-context.ts";
import type { JournalledIntent } from "./journal/journal.ts";
import { DRAFT_TAG } from "./journal/journal-entries.ts";
import { makeSettled, UnsettledError } from "./settle.ts";

/** Something in the account that is deleted at the end of its scope unless it is kept. */
export interface Draft<Id extends string> extends AsyncDisposable {
  readonly id: Id;
  /** The build has succeeded: it stays. */
  keep(): Id;
}

type DraftContext = Pick<
  BuildContext,
  "journal" | "ec2" | "clock" | "signal" | "emit" | "reportLeftover" | "failure" | "environment"
>;

/**
 * Makes something in the account, once, and takes charge of it. It is in the journal before it is real.
 *
 * @param make sends the call that makes it, with the tags that it is given.
 */
export async function makeDraft<Id extends string>(
  context: DraftContext,
  plan: {
    readonly kind: ResourceKind;
    readonly make: (tags: Readonly<Record<string, string>>) => Promise<Id>;
    readonly clientToken?: string;
    readonly progress: StepProgress;
  },
): Promise<Draft<Id>> {
  const { journal, ec2, clock, signal, emit, reportLeftover } = context;
  const { kind, clientToken } = plan;
  signal.throwIfAborted();
  const intent = await journal.intend({ kind, ...(clientToken === undefined ? {} : { clientToken }) });
  let made: Draft<Id>;
  try {
    const id = await makeSettled<Id>({
      what: kind,
      make: () => plan.make(journal.draftTags),
      find: () =>
        findDrafts(ec2.releasing, kind, journal.draftTags[DRAFT_TAG] ?? "", { isOfOwn: true }) as Promise<Id[]>,
      remove: async (extra) => void (await REMOVE[kind](ec2.releasing, extra)),
      signal,
      clock,
      tell: plan.progress.tell,
    });
    made = draftOf(context, { kind, id, intent });
  } catch (error) {
    if (!(error instanceof UnsettledError)) {
      await intent.gone();
      throw error;
    }
    const id = `(of unknown id, tagged ${DRAFT_TAG})`;
    reportLeftover({ kind, id, removeWith: cleanCommand(context), error: error.cause });
    throw error.cause;
  }
  emit({ type: "resource-created", kind, id: made.id, region: ec2.region });
  return journalled(made, intent);
}

/**
 * The step that makes a draft and waits until it can be used. It can be repeated: what a failed try made goes first.
 *
 * @param work.wait resolves once it can be used.
 */
export async function runDraftStep<Id extends string>(
  context: BuildContext,
  title: string,
  work: {
    readonly make: (progress: StepProgress) => Promise<Draft<Id>>;
    readonly wait: (made: Draft<Id>, progress: StepProgress) => Promise<void>;
  },
): Promise<Draft<Id>> {
  let made: Draft<Id> | undefined;
  const makeAndWait = async (progress: StepProgress): Promise<Draft<Id>> => {
    await made?.[Symbol.asyncDispose]();
    made = await work.make(progress);
    await work.wait(made, progress);
    return made;
  };
  try {
    return await context.runStep(title, makeAndWait, { isRepeatable: true });
  } catch (error) {
    // Not in the step: only after it is known what becomes of a failed build.
    await made?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Its id is in the journal when this resolves; if that fails, it is removed. */
async function journalled<Id extends string>(made: Draft<Id>, intent: JournalledIntent): Promise<Draft<Id>> {
  try {
    await intent.made(made.id);
    return made;
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
}

function draftOf<Id extends string>(
  context: DraftContext,
  { kind, id, intent }: { kind: ResourceKind; id: Id; intent: JournalledIntent },
): Draft<Id> {
  const { ec2, reportLeftover } = context;
  let isKept = false;
  return {
    id,
    keep: () => {
      isKept = true;
      return id;
    },
    async [Symbol.asyncDispose]() {
      if (isKept) return;
      isKept = true;
      if (context.failure.isKeeping) {
        reportLeftover({ kind, id, removeWith: cleanCommand(context), error: keptReason() });
        return;
      }
      const remove = async () => {
        await REMOVE[kind](ec2.releasing, id);
        await intent.gone();
      };
      // It knows the endpoint, detaches first, and tries again what EC2 refuses for now: no command of AWS's does.
      await releaseOrReport({ kind, id, removeWith: cleanCommand(context) }, remove, reportLeftover);
    },
  };
}

const REMOVE: Readonly<Record<ResourceKind, (ec2: Ec2Calls, id: string) => Promise<boolean>>> = {
  volume: (ec2, id) => ec2.deleteVolume(id as VolumeId),
  snapshot: (ec2, id) => ec2.deleteSnapshot(id as SnapshotId),
  image: (ec2, id) => ec2.deregisterImage(id as ImageId),
};

const LOOK_AGAIN_MS = 1000;

/**
 * Removes something of the account. Resolves when it is gone, with whether it was there.
 *
 * @param what.visibleByMs the time, of the clock, until when "not found" may mean "not visible yet".
 * @param what.signal ends the wait: whoever waits can come again.
 * @param what.ec2 calls that go on although the build was cancelled.
 */
export async function removeResource(
  ec2: Ec2Calls,
  {
    kind,
    id,
    visibleByMs,
    clock,
    signal,
  }: { kind: ResourceKind; id: string; visibleByMs: number; clock: Clock; signal?: AbortSignal },
): Promise<boolean> {
  for (;;) {
    if (await REMOVE[kind](ec2, id)) return true;
    if (clock.now() >= visibleByMs) return false;
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** The ids of all that one build, by its draft tag, has of a kind. What is being deleted is not among them. */
export async function findDrafts(
  ec2: Ec2Calls,
  kind: ResourceKind,
  draft: string,
  { isOfOwn = false }: Pick<WantedTag, "isOfOwn"> = {},
): Promise<string[]> {
  const found = await ec2.findTagged(kind, { key: DRAFT_TAG, value: draft, isOfOwn });
  return found.filter(({ state }) => !isGoing(state)).map(({ id }) => id);
}

/** Whether EC2 shows something only because it has not forgotten it yet. */
export function isGoing(state: string): boolean {
  return state === "deleting" || state === "deleted" || state === "deregistered";
}
