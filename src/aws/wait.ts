import type { Clock } from "../base/clock.ts";
import { ToolError } from "../base/errors.ts";
import { formatDuration } from "../base/units.ts";

/** `aws_polling` of a template: how the user wants every wait polled. */
export interface Polling {
  readonly delayMs: number;
  readonly attemptsMax: number;
}

/**
 * How long after a call EC2 may hide what it made: its reads are eventually consistent.
 * docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html gives no bound; "a few minutes" is the
 * outermost that AWS names, seconds are usual.
 */
export const VISIBLE_WITHIN_MS = 60_000;

/**
 * How long after this process made something a call that is told "not found" of it is sent again. Longer than the wait
 * for what perhaps never was made: giving up early loses the build's work. After StartSnapshot, two minutes have been
 * seen: github.com/awslabs/coldsnap/pull/56.
 */
export const OWN_VISIBLE_WITHIN_MS = 120_000;

export interface WaitOptions {
  /** "volume vol-1 to become available" */
  readonly what: string;
  readonly deadlineMs: number;
  /** Takes the place of the schedule and the deadline. */
  readonly polling?: Polling | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

// What is quick is asked about often, at first after each doubling of the time
// waited. Later a poll waits for a part of that time: what polling adds to a long
// wait stays below that part of it, while it costs few calls.
const DELAY_MS_FIRST = 50;
const DELAY_MS_USUAL = 500;
const DELAY_SHARE = 0.025;
const DELAY_MS_MAX = 10_000;

/**
 * Asks until there is an answer. The first question is asked at once.
 *
 * @param look gives `undefined` while it is too early, and throws what can never come good.
 * @throws {ToolError} past the deadline, or the signal's reason.
 */
export async function waitFor<T>(look: () => Promise<T | undefined>, options: WaitOptions): Promise<T> {
  const { what, polling, signal, clock } = options;
  const start = clock.now();
  const deadlineMs = polling === undefined ? options.deadlineMs : polling.delayMs * polling.attemptsMax;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const answer = await look();
    if (answer !== undefined) return answer;
    const waitedMs = clock.now() - start;
    const isLast = polling === undefined ? waitedMs >= deadlineMs : attempt >= polling.attemptsMax;
    if (isLast) throw waitTimeout(what, waitedMs, polling !== undefined);
    await clock.sleep(polling?.delayMs ?? nextDelayMs(waitedMs), signal);
  }
}

function nextDelayMs(waitedMs: number): number {
  const early = Math.min(DELAY_MS_USUAL, Math.max(DELAY_MS_FIRST, waitedMs));
  return Math.min(DELAY_MS_MAX, Math.max(early, waitedMs * DELAY_SHARE));
}

function waitTimeout(what: string, waitedMs: number, isPolling: boolean): ToolError {
  const hint = isPolling
    ? "Raise max_attempts of aws_polling, or leave aws_polling out of the template"
    : "See the state of the resource in the EC2 console, and health.aws.amazon.com for the region";
  return new ToolError("ERR_WAIT_TIMEOUT", `Cannot wait longer than ${formatDuration(waitedMs)} for ${what}`, { hint });
}
