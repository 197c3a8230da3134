import { type Clock, timeoutSignal } from "../base/clock.ts";
import { formatDuration } from "../base/units.ts";
import { AwsError, awsErrorFrom } from "./aws-error.ts";
import type { Credentials } from "./credentials.ts";

export interface PermissionCheck {
  /** "ec2:CreateVolume" */
  readonly action: string;
  /** Which builders call it. */
  readonly builders: readonly ("amazon-chroot" | "amazon-direct")[];
  /** "unknown": the answer is neither a yes nor a no, and named in `detail`. */
  readonly verdict: "allowed" | "refused" | "unknown";
  readonly detail: string;
}

export interface CheckPermissionsOptions {
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
  readonly endpoint: string | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

// All together: each is answered within a second, or the way to AWS is blocked.
const ANSWERS_MS = 60_000;

export type Verdict = Pick<PermissionCheck, "verdict" | "detail">;

/**
 * Makes calls that change nothing, one after the other, and judges what is answered.
 *
 * @param options.judge what an error means; a call that succeeds is allowed.
 * @throws {AwsError} if there is no answer in time.
 */
export async function askForEach(
  calls: Readonly<Record<string, (options: { readonly abortSignal: AbortSignal }) => Promise<unknown>>>,
  options: Pick<CheckPermissionsOptions, "signal" | "clock"> & {
    readonly service: "EC2" | "EBS";
    readonly judge: (error: AwsError) => Verdict;
  },
): Promise<Map<string, Verdict>> {
  const { signal, clock, service, judge } = options;
  using deadline = timeoutSignal(clock, ANSWERS_MS);
  const send = { abortSignal: AbortSignal.any([signal, deadline]) };
  const verdicts = new Map<string, Verdict>();
  for (const [action, call] of Object.entries(calls)) {
    const verdict = await call(send).then(
      (): Verdict => ({ verdict: "allowed", detail: "" }),
      (thrown: unknown) => judge(awsErrorFrom(action, thrown)),
    );
    signal.throwIfAborted();
    if (deadline.aborted) {
      throw new AwsError(action, "TimeoutError", `${service} gave no answer within ${formatDuration(ANSWERS_MS)}`);
    }
    verdicts.set(action, verdict);
  }
  return verdicts;
}
