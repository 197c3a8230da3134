import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import type { Leftover } from "../base/errors.ts";
import { Secrets } from "../base/secrets.ts";
import { prepareCommands } from "../linux/run-command.ts";
import type { BuildPlan, TemplatePlan } from "../template/build-plan.ts";
import { attendBuild } from "./attendance/attend-build.ts";
import type { OnError } from "./attendance/failure-policy.ts";
import type { Prompter } from "./attendance/prompter.ts";
import type { BakedImage } from "./baked-image.ts";
import { buildAmi } from "./build-ami.ts";
import type { BuildContext } from "./build-context.ts";
import type { AmiArtifact, BuildEvent, NamedBuildEvent } from "./build-events.ts";
import type { BuildHost } from "./build-host.ts";
import { checkHost } from "./check-host.ts";
import { createFindSyncLauncher } from "./image-root/suppress-sync.ts";
import { openJournal } from "./journal/journal.ts";
import { postProcessImage } from "./post-process-image.ts";

export interface RunBuildsOptions {
  /** How many builds run at once; 0 is no limit. */
  readonly parallelBuildsMax: number;
  /** Cancels every build; each then releases what it made. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: NamedBuildEvent) => void;
  /**
   * What becomes of what a failed build made. "ask" needs a prompter that is interactive; without one it is "cleanup".
   *
   * @default "cleanup"
   */
  readonly onError?: OnError;
  /** Pause after each step, and build one after the other. */
  readonly pausesAfterSteps?: boolean;
  /** Whom to ask. Without one, nobody is there: a breakpoint then fails its build. */
  readonly prompter?: Prompter | undefined;
}

export type BuildResult =
  | { readonly build: string; readonly artifact: AmiArtifact }
  | { readonly build: string; readonly error: unknown }
  /** The image is there and stays; a post-processor failed. */
  | { readonly build: string; readonly artifact: AmiArtifact; readonly error: unknown };

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
  await checkHost(plan.builds.map(({ type }) => type));
  // It has no result of its own, and fails where commands are then started as always.
  void prepareCommands();
  const results: BuildResult[] = [];
  const leftovers: Leftover[] = [];
  const run = {
    runId: randomUUID(),
    leftovers,
    secrets: new Secrets(plan.secrets),
    findSyncLauncher: createFindSyncLauncher(),
  };
  const waiting = plan.builds.entries();
  const worker = async (): Promise<void> => {
    for (const [index, build] of waiting) {
      results[index] = await runBuild(build, host, options, run);
    }
  };
  const parallelMax = options.pausesAfterSteps ? 1 : options.parallelBuildsMax;
  const workerCount = parallelMax > 0 ? parallelMax : plan.builds.length;
  await Promise.all(Array.from({ length: workerCount }, worker));
  return { results, leftovers };
}

interface Run extends Pick<BuildContext, "runId" | "findSyncLauncher"> {
  readonly leftovers: Leftover[];
  readonly secrets: Secrets;
}

async function runBuild(plan: BuildPlan, host: BuildHost, options: RunBuildsOptions, run: Run): Promise<BuildResult> {
  const { signal } = options;
  const start = performance.now();
  const emit = (event: BuildEvent): void => options.onEvent({ ...event, build: plan.name, time: new Date() });
  const attendance = attendBuild({ ...options, buildName: plan.name, emit });
  let made: { artifact?: AmiArtifact } = {};
  try {
    const image = await bake(plan, host, { ...run, ...attendance, signal, emit });
    const { artifact } = image;
    made = { artifact };
    await postProcessImage(plan, image, { ...run, ...attendance, signal, emit, clock: host.clock });
    emit({ type: "build-finished", artifact, elapsedMs: performance.now() - start });
    return { build: plan.name, artifact };
  } catch (error) {
    emit({ type: "build-failed", error, ...made, elapsedMs: performance.now() - start });
    return { build: plan.name, error, ...made };
  }
}

type Attended = Run & Pick<BuildContext, "runStep" | "interaction" | "failure" | "signal" | "emit">;

/** All that the journal knows of: when this resolves, the image is the user's and nothing else is left. */
async function bake(plan: BuildPlan, host: BuildHost, attended: Attended): Promise<BakedImage> {
  const { leftovers, secrets, ...shared } = attended;
  const { signal, emit, runStep } = shared;
  signal.throwIfAborted();
  using connection = await runStep("Connecting to EC2", async (progress) => {
    const made = await host.connect(plan, {
      signal,
      onRetry: (call, attempt, reason) => emit({ type: "retry", call, attempt, reason }),
    });
    progress.tell(made.where);
    return made;
  });
  await using journal = await openJournal({
    directory: host.journalDirectory,
    buildName: secrets.hide(plan.name),
    template: resolve(plan.location.file),
    place: connection.place,
  });
  return await buildAmi(plan, {
    ...connection,
    ...shared,
    journal,
    buildName: plan.name,
    config: plan.config,
    environment: host.environment,
    clock: host.clock,
    reportLeftover: (leftover) => {
      leftovers.push(leftover);
      emit({ type: "leftover", leftover });
    },
  });
}
