import { AwsError } from "../aws/aws-error.ts";
import { VISIBLE_WITHIN_MS, waitFor } from "../aws/wait.ts";
import type { Clock } from "../base/clock.ts";
import { NEVER } from "../base/never.ts";

export interface SettleOptions<Id> {
  /** "snapshot" */
  readonly what: string;
  /** Sends the call that makes it. */
  readonly make: () => Promise<Id>;
  /** What such calls have made, as far as it is visible. Goes on although the build was cancelled. */
  readonly find: () => Promise<readonly Id[]>;
  /** Removes one that was made twice. Missing where EC2 makes one at most. */
  readonly remove?: (id: Id) => Promise<void>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly tell: (text: string) => void;
}

/**
 * Makes one thing, and one only, also where the answer of EC2 is lost and so nobody knows whether it was made:
 * it is looked for, the call is sent once more, and what then shows up as an extra is removed.
 *
 * @throws why it could not be made. Then it is not there, unless the error is an `UnsettledError`.
 */
export async function makeSettled<Id extends string>(options: SettleOptions<Id>): Promise<Id> {
  const { make, signal } = options;
  try {
    return await make();
  } catch (error) {
    const found = await findLost(error, options);
    if (found !== undefined) return found;
    if (signal.aborted || !isLostItself(error)) throw error;
  }
  let id: Id;
  try {
    id = await make();
  } catch (error) {
    const found = await findLost(error, options);
    if (found !== undefined) return found;
    throw error;
  }
  await removeTwins(id, options);
  return id;
}

async function removeTwins<Id extends string>(id: Id, { find, remove }: SettleOptions<Id>): Promise<void> {
  if (remove === undefined) return;
  try {
    for (const twin of await find()) if (twin !== id) await remove(twin);
  } catch (cause) {
    throw new UnsettledError(cause);
  }
}

/** The answer was lost, and what the call did could not be found out either. Its cause is why. */
export class UnsettledError extends Error {
  override readonly name = "UnsettledError";

  constructor(cause: unknown) {
    super("Cannot find out what a call did whose answer was lost", { cause });
  }
}

/** Looks for what a call made whose answer was lost. */
async function findLost<Id extends string>(error: unknown, options: SettleOptions<Id>): Promise<Id | undefined> {
  if (!(error instanceof AwsError) || !error.mayHaveTakenEffect) return undefined;
  options.tell(`the answer was lost: looking for the ${options.what}`);
  try {
    const [first, ...extras] = await lookFor(options);
    for (const extra of extras) await options.remove?.(extra);
    return first;
  } catch {
    throw new UnsettledError(error);
  }
}

function isLostItself(error: unknown): boolean {
  return error instanceof AwsError && error.mayHaveTakenEffect;
}

async function lookFor<Id extends string>({ what, find, clock }: SettleOptions<Id>): Promise<readonly Id[]> {
  const start = clock.now();
  return waitFor(
    async () => {
      const found = await find();
      return found.length > 0 || clock.now() - start >= VISIBLE_WITHIN_MS ? found : undefined;
    },
    // It ends by itself; cancelled builds look too.
    { what, deadlineMs: 2 * VISIBLE_WITHIN_MS, signal: NEVER, clock },
  );
}
