import { changeFile } from "../linux/files/change-file.ts";
import { runPostProcessors } from "../post-process/run-post-processors.ts";
import type { BuildPlan } from "../template/build-plan.ts";
import { artifactId, type BakedImage } from "./baked-image.ts";
import type { BuildContext } from "./build-context.ts";

/**
 * Runs the template's post-processors on an image that is complete, and stays whatever they do.
 *
 * @throws {ToolError} if one fails.
 */
export async function postProcessImage(
  plan: BuildPlan,
  { artifact, variables, readBlockManifests }: BakedImage,
  { runId, signal, emit, runStep, clock }: Pick<BuildContext, "runId" | "signal" | "emit" | "runStep" | "clock">,
): Promise<void> {
  await runPostProcessors(plan.postProcessors, {
    artifact: { id: artifactId(artifact), files: [], readBlockManifests },
    variables,
    buildName: plan.sourceName,
    buildType: plan.type,
    runId,
    files: { changeFile },
    clock,
    signal,
    emit,
    runStep: (title, work) => runStep(title, work, { isDecided: true }),
  });
}
