import { randomUUID } from "node:crypto";
import type { Leftover } from "../base/errors.ts";
import type { BuildPlan, TemplatePlan } from "../template/build-plan.ts";
import { buildAmi } from "./build-ami.ts";
import { stepRunner } from "./build-context.ts";
import type { AmiArtifact, BuildEvent, NamedBuildEvent } from "./build-events.ts";
import type { BuildHost } from "./build-host.ts";
import { checkHost } from "./check-host.ts";

export interface RunBuildsOptions {
  /** How many builds run at once; 0 is no limit. */
  readonly parallelBuildsMax: number;
  /** Cancels every build; each then releases what it made. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: NamedBuildEvent) => void;
}

export type BuildResult =
  | { readonly build: string; readonly artifact: AmiArtifact }
  | { readonly build: string; readonly error: unknown };

export interface BuildSummary {
  /** In the template's order. */
  readonly results: readonly BuildResult[];
  readonly leftovers: readonly Leftover[];
}

/**
 * Runs the builds of a template, side by side. A build that fails does not stop
 * the others, and is a result, not an exception.
 *
 * @throws {ToolError} with the fault "host" if this host can build nothing.
 */
export async function runBuilds(plan: TemplatePlan, host: BuildHost, options: RunBuildsOptions): Promise<BuildSummary> {
  await checkHost();
  const results: BuildResult[] = [];
  const leftovers: Leftover[] = [];
  const runId = randomUUID();
  const waiting = plan.builds.entries();
  const worker = async (): Promise<void> => {
    for (const [index, build] of waiting) {
      results[index] = await runBuild(build, host, options, { runId, leftovers });
    }
  };
  const workerCount = options.parallelBuildsMax > 0 ? options.parallelBuildsMax : plan.builds.length;
  await Promise.all(Array.from({ length: workerCount }, worker));
  return { results, leftovers };
}

async function runBuild(
  plan: BuildPlan,
  host: BuildHost,
  { signal, onEvent }: RunBuildsOptions,
  { runId, leftovers }: { runId: string; leftovers: Leftover[] },
): Promise<BuildResult> {
  const start = performance.now();
  const emit = (event: BuildEvent): void => onEvent({ ...event, build: plan.name, time: new Date() });
  const runStep = stepRunner(emit);
  try {
    signal.throwIfAborted();
    using connection = await runStep("Connecting to EC2", async (progress) => {
      const made = await host.connect(plan.config, {
        signal,
        onRetry: (call, attempt, reason) => emit({ type: "retry", call, attempt, reason }),
      });
      progress.tell(`${made.instance.instanceId} in ${made.ec2.region}`);
      return made;
    });
    const artifact = await buildAmi(plan, {
      ...connection,
      buildName: plan.name,
      config: plan.config,
      environment: host.environment,
      signal,
      emit,
      runStep,
      runId,
      reportLeftover: (leftover) => {
        leftovers.push(leftover);
        emit({ type: "leftover", leftover });
      },
    });
    emit({ type: "build-finished", artifact, elapsedMs: performance.now() - start });
    return { build: plan.name, artifact };
  } catch (error) {
    emit({ type: "build-failed", error, elapsedMs: performance.now() - start });
    return { build: plan.name, error };
  }
}
