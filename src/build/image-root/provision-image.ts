import { messageOf, ToolError } from "../../base/errors.ts";
import { countOf } from "../../base/units.ts";
import { fullFileSystem, ROOM_HINT } from "../../linux/mounts/file-system-room.ts";
import { chrootCommunicator } from "../../linux/sandbox/chroot-communicator.ts";
import type { Launcher, Sandbox } from "../../linux/sandbox/sandbox.ts";
import { namesOf, type SandboxProcess } from "../../linux/sandbox/sandbox-processes.ts";
import { type RunProvisionersContext, runProvisioners } from "../../provision/run-provisioners.ts";
import type { BuildPlan, ProvisionerPlan } from "../../template/build-plan.ts";
import type { BuildVariables } from "../../template/deferred.ts";
import type { BuildContext } from "../build-context.ts";
import { warningOf } from "../build-events.ts";
import { commandWrappers } from "./command-wrappers.ts";
import { imageEnvironment } from "./image-environment.ts";

// Long enough for a database to write its files, short enough not to be felt at every build.
const PROCESS_GRACE_MS = 5000;

interface ImageToProvision {
  readonly sandbox: Sandbox;
  readonly mountpoint: string;
  /** Starts the commands. */
  readonly launcher: Launcher | undefined;
  readonly variables: BuildVariables;
}

/**
 * Runs the provisioners in the image, then ends every process they left, whether they succeeded or not. After a
 * failure the template's own error-cleanup-provisioner runs first.
 */
export async function provisionImage(context: BuildContext, plan: BuildPlan, image: ImageToProvision): Promise<void> {
  const { emit, failure } = context;
  const onProcessesEnded = (processes: readonly SandboxProcess[]): void => {
    emit({
      type: "message",
      text: `Ended ${countOf(processes.length, "process", "processes")} left in the image: ${namesOf(processes)}`,
    });
  };
  await using _processes = {
    async [Symbol.asyncDispose]() {
      const ended = await image.sandbox.endProcesses(PROCESS_GRACE_MS);
      if (ended.length > 0) onProcessesEnded(ended);
    },
  };
  const provisioning = provisionContext(context, plan, { ...image, onProcessesEnded });
  try {
    await runProvisioners(plan.provisioners, provisioning);
  } catch (error) {
    const told = await withRoomHint(error, image.sandbox.pathFromHere(image.mountpoint));
    if (failure.runsErrorCleanup) await runErrorCleanup(plan.errorCleanupProvisioner, provisioning);
    throw told;
  }
}

/** A script that fails on a full disk seldom says so in words that its user finds. */
async function withRoomHint(error: unknown, rootDirectory: string): Promise<unknown> {
  if (!(error instanceof ToolError) || error.code !== "ERR_PROVISIONER_FAILED") return error;
  const full = await fullFileSystem(rootDirectory).catch(() => undefined);
  if (full === undefined) return error;
  const hint = `${ROOM_HINT} (the image's root file system is ${full})`;
  return new ToolError(error.code, error.message, { cause: error.cause, hint });
}

function provisionContext(
  context: BuildContext,
  plan: BuildPlan,
  image: ImageToProvision & { readonly onProcessesEnded: (processes: readonly SandboxProcess[]) => void },
): RunProvisionersContext {
  const { signal, clock, emit, runStep, interaction } = context;
  return {
    communicator: chrootCommunicator({
      sandbox: image.sandbox,
      mountpoint: image.mountpoint,
      environment: imageEnvironment(context.environment, context.config.pass_environment),
      wrap: commandWrappers(context.config).wrap,
      launcher: image.launcher,
      onProcessesEnded: image.onProcessesEnded,
    }),
    variables: image.variables,
    buildName: plan.sourceName,
    buildType: plan.type,
    signal,
    clock,
    emit,
    runStep: (title, work) => runStep(title, work, { isRepeatable: true }),
    pause: (text, pauseSignal) => interaction.pause(text, pauseSignal),
  };
}

// Without a timeout of its own. After Ctrl-C nobody wants to wait for ever, and in CI nobody is there.
const ERROR_CLEANUP_DEADLINE_MS = 10 * 60_000;

/** Whatever it ends in, the first failure is what is told in the end. It runs after Ctrl-C too. */
async function runErrorCleanup(plan: ProvisionerPlan | undefined, context: RunProvisionersContext): Promise<void> {
  if (plan === undefined) return;
  context.emit({ type: "message", text: "Running the error-cleanup-provisioner" });
  const { signal } = new AbortController();
  const bounded = { ...plan, timeoutMs: plan.timeoutMs ?? ERROR_CLEANUP_DEADLINE_MS };
  try {
    await runProvisioners([bounded], { ...context, signal });
  } catch (error) {
    const why = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : "";
    const warning = warningOf("The error-cleanup-provisioner failed", error);
    context.emit({ ...warning, text: `${warning.text}${why}` });
  }
}
