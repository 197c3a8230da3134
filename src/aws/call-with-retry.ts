// The one owner of retry for AWS calls: the SDK's own is off.
import { type Clock, deadlineWithin } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { NEVER } from "../base/never.ts";
import { retry } from "../base/retry.ts";
import { sharedSignal } from "../base/shared-signal.ts";
import { formatDuration } from "../base/units.ts";
import { AwsError, awsErrorFrom, isOverload, isStillInUse, isTransient } from "./aws-error.ts";
import { OwnResources } from "./own-resources.ts";
import { wasSent } from "./sent-requests.ts";

export interface CallKind {
  /** Whether a call whose answer was lost may simply be sent again. @default true */
  readonly isRepeatable?: boolean;
  /** Whether it makes something that has to be undone. */
  readonly isCreating?: boolean;
  /** Ids that it names. That one which this process has just made is not found is a delay of AWS's, and passes. */
  readonly names?: readonly string[];
  /** Whether it removes what it names. If an answer is lost, that may have been why it is not found then. */
  readonly isDeleting?: boolean;
  /** What it is about, where the action alone does not tell: "block 7 of snap-1". */
  readonly subject?: string;
  /** @default 30,000 */
  readonly answerMs?: number;
  /** @default 10 */
  readonly attemptsMax?: number;
  /** Lets each attempt begin. The wait for it is no part of the attempt. */
  readonly gate?: CallGate;
}

export type CallOutcome = "done" | "overloaded" | "failed";

/** Decides when an attempt may begin, and learns how it ended. */
export interface CallGate {
  /** @throws the signal's reason. */
  enter(signal: AbortSignal): Promise<GatePass>;
}

export interface GatePass {
  leave(outcome: CallOutcome): void;
}

export interface CallerOptions {
  readonly signal: AbortSignal;
  /** Of the backoff and of the wait for an answer. */
  readonly clock: Clock;
  /** Told of each call that is tried again. */
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
  /** Whether the calls release things: then "still in use" passes. */
  readonly isReleasing?: boolean;
  /** Shared by all clients that name what the others have made. @default none of theirs */
  readonly own?: OwnResources | undefined;
  /** Of the process: it may name a proxy, which is not used, and a call that does not come through says so. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Sends a call by its name; what it sends ends when the signal that it is given aborts. */
export type Call = <T>(
  name: string,
  send: (sendOptions: { abortSignal: AbortSignal }) => Promise<T>,
  kind?: CallKind,
) => Promise<T>;

const ANSWER_MS = 30_000;
// 0.25 s, doubling to 10 s: 10 attempts ride out about a minute of throttling.
const ATTEMPTS_MAX = 10;
const BACKOFF_MS_FIRST = 250;
const BACKOFF_MS_MAX = 10_000;
// It is gone, or a server answers that has not heard of it yet; those differ for a moment only.
const DELETED_MS = 5_000;

/**
 * Makes what sends calls: each attempt has a deadline, what passes is tried again, and each retry is told.
 *
 * @returns a function that throws {AwsError}, or the signal's reason.
 */
export function caller(options: CallerOptions): Call {
  const { clock, own = new OwnResources(clock) } = options;
  const { environment = {} } = options;
  const ignoredProxy = ["HTTPS_PROXY", "https_proxy"].find((name) => environment[name]);
  const signal = sharedSignal(options.signal);
  const never = sharedSignal(NEVER);
  return async function call<T>(
    name: string,
    send: (sendOptions: { abortSignal: AbortSignal }) => Promise<T>,
    kind: CallKind = {},
  ): Promise<T> {
    const { isRepeatable = true, isCreating = false, isDeleting = false, names = [], gate } = kind;
    const { answerMs = ANSWER_MS, attemptsMax = ATTEMPTS_MAX } = kind;
    // A creating call under way is not cut off: nobody would learn what it has made. Its caller registers the undo, and
    // the next step notices that the build was cancelled.
    const abortSignal = isCreating ? never : signal;
    let lost: AwsError | undefined;
    let firstLostMs = Number.POSITIVE_INFINITY;
    const attempt = async (): Promise<T> => {
      const pass = await gate?.enter(abortSignal);
      let outcome: CallOutcome = "failed";
      using deadline = deadlineWithin(abortSignal, clock, answerMs);
      try {
        const answer = await send({ abortSignal: deadline.signal });
        outcome = "done";
        return answer;
      } catch (thrown) {
        abortSignal.throwIfAborted();
        const context = {
          subject: kind.subject,
          wasLostBefore: lost !== undefined,
          wasSent: wasSent(deadline.signal),
          ignoredProxy,
        };
        const error = deadline.isOver
          ? new AwsError(name, "TimeoutError", `no answer within ${formatDuration(answerMs)}`, context)
          : awsErrorFrom(name, thrown, context);
        if (error.mayHaveTakenEffect) {
          lost = error;
          firstLostMs = Math.min(firstLostMs, clock.now());
        }
        if (isOverload(error)) outcome = "overloaded";
        throw error;
      } finally {
        pass?.leave(outcome);
      }
    };
    try {
      return await retry(
        attempt,
        {
          attemptsMax,
          backoffMsFirst: BACKOFF_MS_FIRST,
          backoffMsMax: BACKOFF_MS_MAX,
          isTransient: (error) =>
            isTransient(error, isRepeatable) || (options.isReleasing === true && isStillInUse(error)),
          isPassing: (error) =>
            error instanceof AwsError &&
            own.isHiddenYet(error, names) &&
            !(isDeleting && clock.now() - firstLostMs > DELETED_MS),
          clock,
          onRetry: (tried, error) => options.onRetry(name, tried, messageOf(error)),
        },
        signal,
      );
    } catch (error) {
      // Cancelled between two attempts: that one of them may have made something matters more.
      if (isCreating && lost !== undefined && !(error instanceof AwsError)) throw lost;
      throw error;
    }
  };
}
