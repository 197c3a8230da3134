import { type BuildContext, stepRunner } from "../build-context.ts";
import { FailurePolicy, type OnError } from "./failure-policy.ts";
import { Interaction, type InteractionOptions } from "./interaction.ts";

export interface AttendOptions extends InteractionOptions {
  readonly onError?: OnError;
  readonly pausesAfterSteps?: boolean;
}

/** What runs the steps of one build, and looks after their failure and the pauses between them. */
export function attendBuild(options: AttendOptions): Pick<BuildContext, "runStep" | "interaction" | "failure"> {
  const { emit, signal, pausesAfterSteps = false } = options;
  const interaction = new Interaction(options);
  const wanted = options.onError ?? "cleanup";
  const onError = wanted === "ask" && !interaction.canChoose ? "cleanup" : wanted;
  const failure = new FailurePolicy({ onError, signal, interaction });
  const runStep = stepRunner(emit, {
    afterFailure: (failed) => failure.judge(failed),
    async afterStep(title) {
      if (!pausesAfterSteps || signal.aborted || failure.isKeeping) return;
      // Ctrl-C during the pause: the next step will notice.
      await interaction.pause(`Pausing after step "${title}"`, signal).catch(() => {});
    },
  });
  return { runStep, interaction, failure };
}
