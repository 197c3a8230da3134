import type { BuildSummary } from "../../build/run-builds.ts";
import type { CliContext } from "../cli-context.ts";
import { type ExitCode, exitCodeOfSummary } from "../exit-codes.ts";
import { credentialsIn } from "../report-failure.ts";
import type { BuildRenderer, RunResult } from "../ui/build-renderer.ts";
import { type Cleaner, createCleaner } from "../ui/clean-events.ts";
import { createRenderer, type OutputOptions } from "../ui/create-renderer.ts";
import { unsupported, usageError } from "../usage-error.ts";
import { readTemplateWith, type TemplateOptions, templateWarnings } from "./template-options.ts";

export interface BuildOptions extends TemplateOptions, OutputOptions {
  readonly parallelBuilds: number;
  /** Bake on the local cloud. */
  readonly local?: boolean;
  /** Where that keeps its disks. */
  readonly store?: string;
  readonly onError: "cleanup" | "abort" | "ask" | "run-cleanup-provisioner";
  readonly force?: boolean;
  readonly debug?: boolean;
  readonly warnOnUndeclaredVar?: boolean;
}

/** Runs the builds of a template and shows them. */
export async function runBuild(templatePath: string, options: BuildOptions, context: CliContext): Promise<ExitCode> {
  refuseUnsupported(options);
  const start = performance.now();
  const plan = await readTemplateWith(templatePath, options, context);
  using signal = context.abortOnSignals();
  const [{ runBuilds }, { createBuildHost }] = await Promise.all([
    import("../../build/run-builds.ts"),
    import("../../build/build-host.ts"),
  ]);
  // Released last: an ephemeral local cloud ends when its last build has.
  await using localCloud = options.local ? await connectLocally(options, context, signal) : undefined;
  const credentials = credentialsIn({ ...context.environment, ...localCloud?.environment });
  const cleaner = createCleaner([...plan.secrets, ...credentials]);
  using renderer = createRenderer(context, { machineReadable: context.isMachineReadable, ...options });
  for (const warning of templateWarnings(plan)) renderer.note(cleaner.text(warning));
  noteAbort(signal, renderer, cleaner);
  const host = createBuildHost({
    environment: context.environment,
    ...(localCloud === undefined ? {} : { localCloud: localCloud.environment }),
  });
  const summary = await runBuilds(plan, host, {
    parallelBuildsMax: options.parallelBuilds,
    signal,
    onEvent: (event) => renderer.event(cleaner.event(event)),
  });
  const exitCode = exitCodeOfSummary(summary, signal);
  renderer.result(runResult(summary, cleaner, { elapsedMs: performance.now() - start, exitCode }));
  return exitCode;
}

async function connectLocally(options: BuildOptions, context: CliContext, signal: AbortSignal) {
  const { connectToStore, localStoreDirectory } = await import("./local-store.ts");
  return connectToStore(localStoreDirectory(options, context.environment), context, signal);
}

/** What is not there yet is refused before anything is made, never ignored. */
function refuseUnsupported({ onError, force, debug, warnOnUndeclaredVar, local, store }: BuildOptions): void {
  if (store !== undefined && !local) {
    throw usageError("Cannot use --store without --local", "Add --local to bake on the local cloud");
  }
  if (onError !== "cleanup") {
    throw unsupported(`-on-error=${onError}`, "Leave it out: what a failed build made is removed");
  }
  if (force) throw unsupported("-force", "Deregister the image of that name first: aws ec2 deregister-image");
  if (debug) throw unsupported("-debug");
  if (warnOnUndeclaredVar) throw unsupported("-warn-on-undeclared-var");
}

function noteAbort(signal: AbortSignal, renderer: BuildRenderer, cleaner: Cleaner): void {
  const note = () => {
    const { message } = cleaner.error(signal.reason);
    renderer.note(`${message}: releasing what was made. A second signal ends amibake at once and leaves it behind`);
  };
  signal.addEventListener("abort", note, { once: true });
}

function runResult(
  { results, leftovers }: BuildSummary,
  cleaner: Cleaner,
  rest: Pick<RunResult, "elapsedMs" | "exitCode">,
): RunResult {
  return {
    artifacts: cleaner.data(results.filter((result) => "artifact" in result)),
    failures: results.flatMap((result) =>
      "error" in result ? [{ build: cleaner.text(result.build), error: cleaner.error(result.error) }] : [],
    ),
    leftovers: leftovers.map((leftover) => cleaner.leftover(leftover)),
    ...rest,
  };
}
