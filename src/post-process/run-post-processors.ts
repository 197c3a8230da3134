import { messageOf, ToolError } from "../base/errors.ts";
import type { PostProcessorPlan } from "../template/build-plan.ts";
import { runManifestPostProcessor } from "./manifest-post-processor.ts";
import type { PostProcessContext } from "./post-process-context.ts";

export interface RunPostProcessorsContext extends PostProcessContext {
  /** Runs what the user sees as one step. */
  readonly runStep: <T>(title: string, work: () => Promise<T>) => Promise<T>;
}

/**
 * Runs the post-processors of a build; each is a step. One that fails ends its sequence, not the others, as in Packer.
 *
 * @param sequences run one after the other, as each may take all of the host.
 * @throws {ToolError} the first failure, once all sequences have ended. The image stays.
 * @throws the signal's reason once it aborts.
 */
export async function runPostProcessors(
  sequences: readonly (readonly PostProcessorPlan[])[],
  context: RunPostProcessorsContext,
): Promise<void> {
  const failures: ToolError[] = [];
  for (const sequence of sequences) {
    try {
      for (const plan of sequence) await runOne(plan, context);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof PostProcessorError)) throw error;
      // The first is told as the failure of the build.
      if (failures.length > 0) context.emit({ type: "warning", text: `${error.message}: ${messageOf(error.cause)}` });
      failures.push(error);
    }
  }
  if (failures[0] !== undefined) throw failures[0];
}

async function runOne(plan: PostProcessorPlan, context: RunPostProcessorsContext): Promise<void> {
  context.signal.throwIfAborted();
  const title = titleOf(plan);
  await context.runStep(title, async () => {
    try {
      await run(plan, context);
    } catch (error) {
      context.signal.throwIfAborted();
      throw new PostProcessorError(plan, title, context.artifact.id, error);
    }
  });
}

/** `manifest: out/packer-manifest.json`, `manifest "for the web": out/packer-manifest.json` */
function titleOf({ type, name, config }: PostProcessorPlan): string {
  return `${name === type ? type : `${type} "${name}"`}: ${config.output}`;
}

class PostProcessorError extends ToolError {
  constructor({ location }: PostProcessorPlan, title: string, artifactId: string, cause: unknown) {
    const place = `${location.file}:${location.line}:${location.column}`;
    super("ERR_POST_PROCESSOR_FAILED", `Cannot post-process with "${title}" of ${place}`, {
      cause,
      hint: `The image is complete all the same, and stays: ${artifactId}`,
    });
  }
}

function run(plan: PostProcessorPlan, context: PostProcessContext): Promise<void> {
  switch (plan.type) {
    case "manifest":
      return runManifestPostProcessor(plan.config, context);
  }
}
