import type { Ec2Api } from "../aws/ec2-api.ts";
import type { InstanceIdentity } from "../aws/imds.ts";
import type { Polling } from "../aws/wait.ts";
import type { Leftover } from "../base/errors.ts";
import type { AmazonChrootConfig } from "../template/schema/amazon-chroot.ts";
import type { EmitBuildEvent } from "./build-events.ts";

/** What the steps of one build share. */
export interface BuildContext {
  readonly buildName: string;
  readonly config: AmazonChrootConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly ec2: Ec2Api;
  readonly instance: InstanceIdentity;
  readonly polling: Polling | undefined;
  /** Cancels the build. Releases never listen to it. */
  readonly signal: AbortSignal;
  readonly emit: EmitBuildEvent;
  readonly runStep: RunStep;
  readonly reportLeftover: (leftover: Leftover) => void;
  /** The same for all builds of a run. */
  readonly runId: string;
}

export interface StepProgress {
  /** @param percent 0 to 100, if known. */
  tell(text: string, percent?: number): void;
}

/** Runs a part of the build that the user sees by its title, with its time. */
export type RunStep = <T>(title: string, work: (progress: StepProgress) => Promise<T>) => Promise<T>;

/** Makes the step runner of one build. */
export function stepRunner(emit: EmitBuildEvent): RunStep {
  let count = 0;
  return async (title, work) => {
    const step = `step-${++count}`;
    const start = performance.now();
    const elapsedMs = () => performance.now() - start;
    emit({ type: "step-started", step, title });
    try {
      const result = await work({
        tell: (text, percent) =>
          emit({ type: "step-progress", step, text, ...(percent === undefined ? {} : { percent }) }),
      });
      emit({ type: "step-finished", step, title, elapsedMs: elapsedMs() });
      return result;
    } catch (error) {
      emit({ type: "step-failed", step, title, elapsedMs: elapsedMs() });
      throw error;
    }
  };
}
