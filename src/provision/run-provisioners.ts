import { basename } from "node:path";
import { timeoutSignal } from "../base/clock.ts";
import { messageOf, ToolError } from "../base/errors.ts";
import { formatDuration } from "../base/units.ts";
import type { ProvisionerPlan } from "../template/build-plan.ts";
import { breakpointTitle, runBreakpoint } from "./breakpoint-provisioner.ts";
import { fileTitle, runFileProvisioner } from "./file-provisioner.ts";
import type { ProvisionContext } from "./provision-context.ts";
import { runShellProvisioner } from "./shell-provisioner.ts";
import { ShellProvisionerError } from "./shell-provisioner-error.ts";
import { shellScripts } from "./shell-scripts.ts";

export interface RunProvisionersContext extends ProvisionContext {
  /** Runs what the user sees as one step. */
  readonly runStep: <T>(title: string, work: () => Promise<T>) => Promise<T>;
}

/**
 * Runs the provisioners of a build in their order; each is a step.
 *
 * @throws {ToolError} at the first that fails, with its place in the template.
 * @throws the signal's reason once it aborts.
 */
export async function runProvisioners(
  provisioners: readonly ProvisionerPlan[],
  context: RunProvisionersContext,
): Promise<void> {
  for (const plan of provisioners) {
    const title = titleOf(plan, context);
    await context.runStep(title, async () => {
      try {
        await runWithRetries(plan, title, context);
      } catch (error) {
        context.signal.throwIfAborted();
        throw provisionerFailure(plan, title, error);
      }
    });
  }
}

/** `shell: install.sh`, `shell: inline`, `file: app.conf`, `breakpoint: before the tests` */
function titleOf(plan: ProvisionerPlan, context: ProvisionContext): string {
  if (plan.type === "breakpoint") return breakpointTitle(plan.config, context);
  if (plan.type === "file") return `file: ${fileTitle(plan.config, context)}`;
  const names = shellScripts(plan.config, context.variables).map(({ name }) => basename(name));
  return `shell: ${names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`}`;
}

function provisionerFailure({ location }: ProvisionerPlan, title: string, cause: unknown): ToolError {
  const place = `${location.file}:${location.line}:${location.column}`;
  return new ToolError("ERR_PROVISIONER_FAILED", `Cannot provision with "${title}" of ${place}`, { cause });
}

/** The last failure is the one that is told. */
async function runWithRetries(plan: ProvisionerPlan, title: string, context: ProvisionContext): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await pauseBefore(plan, context);
      await runWithTimeout(plan, context);
      return;
    } catch (error) {
      if (context.signal.aborted || attempt > plan.retriesMax) throw error;
      // Its last lines have just been shown.
      const reason = error instanceof ShellProvisionerError ? error.summary : messageOf(error);
      context.emit({ type: "retry", call: title, attempt, reason });
    }
  }
}

// Before each try, as in Packer: the pause is there for what is not ready yet.
async function pauseBefore({ pauseBeforeMs }: ProvisionerPlan, context: ProvisionContext): Promise<void> {
  if (pauseBeforeMs === 0) return;
  context.emit({ type: "message", text: `Waiting ${formatDuration(pauseBeforeMs)} before it` });
  await context.clock.sleep(pauseBeforeMs, context.signal);
}

async function runWithTimeout(plan: ProvisionerPlan, context: ProvisionContext): Promise<void> {
  const { timeoutMs } = plan;
  if (timeoutMs === undefined) return run(plan, context);
  using timeout = timeoutSignal(context.clock, timeoutMs);
  try {
    await run(plan, { ...context, signal: AbortSignal.any([context.signal, timeout]) });
  } catch (error) {
    if (context.signal.aborted || !timeout.aborted) throw error;
    throw new ToolError("ERR_PROVISIONER_TIMEOUT", `Cannot finish within ${formatDuration(timeoutMs)}, its timeout`, {
      hint: 'Give the provisioner a longer "timeout"',
    });
  }
}

function run(plan: ProvisionerPlan, context: ProvisionContext): Promise<void> {
  switch (plan.type) {
    case "shell":
      return runShellProvisioner(plan.config, context);
    case "file":
      return runFileProvisioner(plan.config, context);
    case "breakpoint":
      return runBreakpoint(plan.config, context);
  }
}
