import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import type { OnError } from "../../build/attendance/failure-policy.ts";
import type { BuildSummary } from "../../build/run-builds.ts";
import type { LocalCloudLease } from "../../local-cloud/local-client.ts";
import type { TemplatePlan } from "../../template/build-plan.ts";
import type { CliContext } from "../cli-context.ts";
import { type ExitCode, exitCodeOfSummary } from "../exit-codes.ts";
import { secretsIn } from "../secrets-in-environment.ts";
import { hasTerminal, TerminalPrompter } from "../terminal-prompter.ts";
import type { BuildRenderer, RunResult } from "../ui/build-renderer.ts";
import { type Cleaner, createCleaner } from "../ui/clean-events.ts";
import { createRenderer, type OutputOptions } from "../ui/create-renderer.ts";
import { HoldableRenderer } from "../ui/holdable-renderer.ts";
import { unsupported, usageError } from "../usage-error.ts";
import { blockCachePlace } from "./block-cache.ts";
import { templateDataSources } from "./template-data-sources.ts";
import { readTemplateWith, type TemplateOptions, templateWarnings } from "./template-options.ts";

export interface BuildOptions extends TemplateOptions, OutputOptions {
  readonly parallelBuilds: number;
  /** Bake on the local cloud. */
  readonly local?: boolean;
  /** Where that keeps its disks. */
  readonly store?: string;
  readonly onError: OnError;
  readonly force?: boolean;
  readonly debug?: boolean;
}

/** Runs the builds of a template and shows them. */
export async function runBuild(templatePath: string, options: BuildOptions, context: CliContext): Promise<ExitCode> {
  refuseUnsupported(options);
  const isForPrograms = options.json === true || options.machineReadable === true || context.isMachineReadable;
  if (isForPrograms) refuseQuestions(options);
  const start = performance.now();
  using signal = context.abortOnSignals();
  // Released last: an ephemeral local cloud ends when its last build has.
  await using stack = new AsyncDisposableStack();
  const connect = options.local ? connectOnce(stack, options, context, signal) : undefined;
  const dataSources = templateDataSources(context, {
    signal,
    localCloud: connect && (async () => (await connect()).environment),
  });
  const plan = await readTemplateWith(templatePath, options, context, { signal, dataSources });
  if (isForPrograms) refuseBreakpoints(plan);
  const [{ runBuilds }, { createBuildHost }, { countDeadBuilds }] = await Promise.all([
    import("../../build/run-builds.ts"),
    import("../../build/build-host.ts"),
    import("../../build/journal/dead-journals.ts"),
  ]);
  const localCloud = await connect?.();
  for (const secret of secretsIn(localCloud?.environment ?? {})) context.secrets.add(secret);
  const cleaner = createCleaner(context.secrets);
  using renderer = new HoldableRenderer(
    createRenderer(context, { machineReadable: context.isMachineReadable, ...options }),
  );
  for (const warning of templateWarnings(plan)) renderer.note(cleaner.text(warning));
  if (options.onError === "ask" && !hasTerminal(context)) {
    renderer.note("There is no terminal to ask at: what a failed build made will be removed");
  }
  const isKept = options.onError === "abort" || options.onError === "run-cleanup-provisioner";
  noteAbort(signal, renderer, { cleaner, isKept });
  const host = createBuildHost({
    environment: context.environment,
    onSecret: (secret) => context.secrets.add(secret),
    ...(localCloud === undefined ? {} : { localCloud: localCloud.environment }),
    store: localCloud?.status.settings.storeDirectory ?? (await storeOf(context)),
    blockCache: () => blockCachePlace(context),
  });
  // A build that cannot use them says why.
  noteDeadBuilds(await countDeadBuilds(host.journalDirectory).catch(() => 0), renderer);
  noteInterruptedUploads(await countUploads(host.environment).catch(() => 0), renderer);
  const summary = await runBuilds(plan, host, {
    parallelBuildsMax: options.parallelBuilds,
    signal,
    onEvent: (event) => renderer.event(cleaner.event(event)),
    onError: options.onError,
    pausesAfterSteps: options.debug ?? false,
    prompter: isForPrograms ? undefined : new TerminalPrompter(context, { renderer, cleaner, color: options.color }),
  });
  const exitCode = exitCodeOfSummary(summary, signal);
  renderer.result(runResult(summary, cleaner, { elapsedMs: performance.now() - start, exitCode }));
  return exitCode;
}

/** The local cloud, from when it is first wanted: a data source of the template may ask it before the builds do. */
function connectOnce(owner: AsyncDisposableStack, options: BuildOptions, context: CliContext, signal: AbortSignal) {
  let connecting: Promise<LocalCloudLease> | undefined;
  const connect = async (): Promise<LocalCloudLease> => {
    const { connectToStore, localStoreDirectory } = await import("./local-store.ts");
    return owner.use(await connectToStore(localStoreDirectory(options, context.environment), context, signal));
  };
  return (): Promise<LocalCloudLease> => {
    connecting ??= connect();
    return connecting;
  };
}

async function storeOf({ environment }: CliContext): Promise<string | undefined> {
  if (!environment["AMIBAKE_LOCAL_STORE"]) return undefined;
  const { storeOfEnvironment } = await import("./local-store.ts");
  return storeOfEnvironment(environment);
}

function noteDeadBuilds(count: number, renderer: BuildRenderer): void {
  if (count === 0) return;
  const builds = count === 1 ? "An earlier build has" : `${count} earlier builds have`;
  renderer.note(`${builds} left something behind, killed or told to keep it: sudo amibake clean`);
}

async function countUploads(environment: CliContext["environment"]): Promise<number> {
  const { countInterruptedUploads, uploadDirectory } = await import("../../snapshot-transfer/interrupted-uploads.ts");
  const { stateDirectory } = await import("../../snapshot-transfer/state-directory.ts");
  return countInterruptedUploads(uploadDirectory(stateDirectory(environment)));
}

function noteInterruptedUploads(count: number, renderer: BuildRenderer): void {
  if (count === 0) return;
  const uploads = count === 1 ? "An earlier upload is" : `${count} earlier uploads are`;
  renderer.note(`${uploads} not complete: run the command again to go on, or remove it with: sudo amibake clean`);
}

/** What is not there yet is refused before anything is made, never ignored. */
function refuseUnsupported({ force, local, store }: BuildOptions): void {
  if (store !== undefined && !local) {
    throw usageError("Cannot use --store without --local", "Add --local to bake on the local cloud");
  }
  if (force) throw unsupported("-force", "Deregister the image of that name first: aws ec2 deregister-image");
}

const NO_QUESTIONS_HINT = "Leave --json and -machine-readable out: nobody answers where programs read";

function refuseQuestions({ onError, debug }: BuildOptions): void {
  if (onError === "ask") throw usageError("Cannot ask what to do in an output for programs", NO_QUESTIONS_HINT);
  if (debug) throw usageError("Cannot pause after each step in an output for programs", NO_QUESTIONS_HINT);
}

/** As in Packer they would fail the build, but only once it is there. */
function refuseBreakpoints({ builds }: TemplatePlan): void {
  const provisioners = builds.flatMap((build) => [...build.provisioners, build.errorCleanupProvisioner]);
  const found = provisioners.find((plan) => plan?.type === "breakpoint" && !plan.config.disable);
  if (found === undefined) return;
  const { file, line, column } = found.location;
  const place = `${file}:${line}:${column}`;
  throw usageError(`Cannot pause at the breakpoint of ${place} in an output for programs`, NO_QUESTIONS_HINT);
}

function noteAbort(
  signal: AbortSignal,
  renderer: BuildRenderer,
  { cleaner, isKept }: { cleaner: Cleaner; isKept: boolean },
): void {
  const note = () => {
    const { message } = cleaner.error(signal.reason);
    const fate = isKept ? "keeping" : "releasing";
    renderer.note(`${message}: ${fate} what was made. A second signal ends amibake at once and leaves it behind`);
  };
  signal.addEventListener("abort", note, { once: true });
}

function runResult(
  { results, leftovers }: BuildSummary,
  cleaner: Cleaner,
  rest: Pick<RunResult, "elapsedMs" | "exitCode">,
): RunResult {
  return {
    artifacts: results.flatMap((result) =>
      "artifact" in result ? [cleaner.data({ build: result.build, artifact: result.artifact })] : [],
    ),
    failures: results.flatMap((result) =>
      "error" in result ? [{ build: cleaner.text(result.build), error: cleaner.error(result.error) }] : [],
    ),
    leftovers: leftovers.map((leftover) => cleaner.leftover(leftover)),
    ...rest,
  };
}
